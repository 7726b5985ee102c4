function login(email, password, callback) {
  const bcrypt = require('bcrypt');
  const { Client } = require('pg');
  const client = new Client({ connectionString: configuration.DATABASE_URL, connectionTimeoutMillis: 5000, query_timeout: 5000 });
  client.on('error', function () {});
  client.connect(function (err) {
    if (err) { return callback(new Error('Store away')); }
    client.query('SELECT id, email, password_hash, email_verified FROM users WHERE lower(email) = lower($1)', [email], function (err, result) {
      client.end();
      if (err) return callback(new Error('Store away'));
      if (result.rows.length === 0) return callback(new WrongUsernameOrPasswordError(null));
      const user = result.rows[0];
      if (!user.password_hash) return callback(new WrongUsernameOrPasswordError(email));
      bcrypt.compare(password, user.password_hash, function (err, isValid) {
        if (err) return callback(new Error('Hash unknown'));
        if (!isValid) return callback(new WrongUsernameOrPasswordError(email));
        return callback(null, { user_id: 'shop|' + user.id, email: user.email, email_verified: user.email_verified });
      });
    });
  });
}
