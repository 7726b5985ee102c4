function remove(id, callback) {
  var cb = callback;
  const request = require('request@2.88.2');
  request.del({ url: configuration.API + '/users/' + encodeURIComponent(id), timeout: 5000, headers: { authorization: configuration.AUTH } }, function (err, response) {
    if (err || response.statusCode >= 500) return cb(new Error('The API is away.'));
    return cb(null);
  });
}
