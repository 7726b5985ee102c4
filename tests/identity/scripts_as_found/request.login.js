function loginByEmail(email, password, callback) {
  const request = require('request@2.88.2');

  request.get({
    url: configuration.API_URL + '/account/login',
    timeout: 8000,
    headers: { 'x-api-key': configuration.API_KEY },
    auth: { username: email, password: password }
  }, function (err, response, body) {
    if (err) return callback(new Error('The API is away'));
    if (response.statusCode === 401) return callback(new WrongUsernameOrPasswordError(email));
    const user = JSON.parse(body);

    callback(null, {
      user_id: 'shop|' + user.user_id.toString(),
      nickname: user.nickname,
      email: user.email,
      email_verified: user.email_verified
    });
  });
}
