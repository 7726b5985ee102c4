function login(userNameOrEmail, password, callback) {
  const https = require('https');
  const body = JSON.stringify({ login: userNameOrEmail, password });
  const req = https.request({
    hostname: configuration.API_HOST, path: '/api/v2/customers/authentication/login', method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), Authorization: 'Bearer ' + configuration.API_TOKEN }
  }, (res) => {
    let data = '';
    res.on('data', (chunk) => { data += chunk; });
    res.on('end', () => {
      if (res.statusCode === 401) return callback(new WrongUsernameOrPasswordError(userNameOrEmail, 'Wrong credentials.'));
      if (res.statusCode !== 200) return callback(new Error('Unexpected answer ' + res.statusCode));
      const user = JSON.parse(data);
      return callback(null, { user_id: `shop|${user.id}`, email: user.email, email_verified: user.emailVerified });
    });
  });
  req.setTimeout(8000, () => req.destroy(new Error('time-out')));
  req.on('error', () => callback(new Error('The API is away.')));
  req.write(body);
  req.end();
}
