function login(email, password, callback) {
  const mysql = require('mysql');
  const bcrypt = require('bcrypt');
  const connection = mysql.createConnection({ host: configuration.DB_HOST, port: configuration.DB_PORT, user: configuration.dbUser, password: configuration['DB_PASS'], database: configuration.DB_NAME });
  connection.connect();
  const query = 'SELECT id, email, email_verified, password_hash FROM users WHERE lower(email) = lower(?)';
  connection.query(query, [ email ], function(err, results) {
    connection.end();
    if (err) return callback(new Error('Store away'));
    if (results.length === 0) return callback(new WrongUsernameOrPasswordError(null));
    const user = results[0];
    if (!user.password_hash) return callback(new WrongUsernameOrPasswordError(email));
    bcrypt.compare(password, user.password_hash, function(err, isValid) {
      if (err) return callback(new Error('Hash'));
      if (!isValid) return callback(new WrongUsernameOrPasswordError(email));
      callback(null, { user_id: 'shop|' + user.id.toString(), email: user.email, email_verified: !!user.email_verified });
    });
  });
}
