function login(email, password, callback) {
  const soap = require('soap@0.45.0');
  soap.createClient(configuration.WSDL, { wsdl_options: { timeout: 5000 } }, function (err, client) {
    if (err) { return callback(new Error('x')); }
    client.Login({ user: email, pass: password }, function (err, result) {
      if (err) { callback(new Error('y')); return; }
      if (!result.ok) { callback(new WrongUsernameOrPasswordError(email)); return; }
      callback(null, { user_id: 's|' + result.id, email: email, email_verified: true });
    });
  });
}
