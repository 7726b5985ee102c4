function login(username, password, callback) {
  const ldap = require('ldapjs@2.3.3');
  const client = ldap.createClient({ url: configuration.LDAPS_URL, timeout: 5000, connectTimeout: 5000 });
  client.on('error', function () {});
  client.bind('uid=' + ldapEscape(username) + ',' + configuration.BASE_DN, password, function (err) {
    if (err) {
      client.unbind();
      if (err.name === 'InvalidCredentialsError') return callback(new WrongUsernameOrPasswordError(username));
      return callback(new Error('Directory away'));
    }
    client.unbind(function () {
      callback(null, { user_id: 'ldap|' + username, username: username, email: username + '@' + configuration.MAIL_DOMAIN, email_verified: true });
    });
  });
  function ldapEscape(value) { return value.replace(/[,=+<>#;\\"]/g, ''); }
}
