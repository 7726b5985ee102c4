function login(email, password, callback) {
  const request = require('request@2.88.2');
  const options = { method: 'POST', url: configuration.FIREBASE_URL, qs: { key: configuration.FIREBASE_API_KEY }, json: { email: email, password: password, returnSecureToken: false } };
  options.timeout = 8000;
  request(options, function (error, response, body) {
    if (error) return callback(new Error('Firebase is away'));
    switch (response.statusCode) {
      case 200:
        return callback(null, { user_id: 'fb|' + body.localId, email: body.email, email_verified: false });
      case 400:
        return callback(new WrongUsernameOrPasswordError(email, 'Wrong e-mail or password'));
      default:
        return callback(new Error('Firebase answered ' + response.statusCode));
    }
  });
}
