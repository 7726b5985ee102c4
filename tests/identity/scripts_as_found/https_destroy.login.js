function login(email, password, callback) {
  const https = require('https');
  const req = https.request(configuration.URL, { method: 'POST', timeout: 5000, headers: { authorization: configuration.AUTH } }, (res) => {
    res.resume();
    if (res.statusCode !== 200) return callback(new WrongUsernameOrPasswordError(email));
    callback(null, { user_id: 'shop|1', email, email_verified: true });
  });
  req.on('timeout', () => req.destroy(new Error('time-out')));
  req.on('error', () => callback(new Error('The API is away.')));
  req.end(JSON.stringify({ email, password }));
}
