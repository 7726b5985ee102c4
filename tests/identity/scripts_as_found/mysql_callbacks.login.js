function login(email, password, callback) {
  const mysql = require('mysql@2.18.1');
  const bcrypt = require('bcrypt@5.1.1');

  const connection = mysql.createConnection({
    host: configuration.DB_HOST,
    user: configuration.DB_USER,
    password: configuration.DB_PASSWORD,
    database: 'mydb',
    connectTimeout: 5000
  });

  connection.connect();

  const query = 'SELECT id, nickname, email, password FROM users WHERE email = ?';

  connection.query(query, [ email ], function(err, results) {
    connection.end();
    if (err) { callback(new Error('Database error')); return; }
    if (results.length === 0) {
      callback(new WrongUsernameOrPasswordError(null));
      return;
    }
    const user = results[0];

    bcrypt.compare(password, user.password, function(err, isValid) {
      if (err) {
        callback(new Error('Hash error'));
      } else if (!isValid) {
        callback(new WrongUsernameOrPasswordError(email));
      } else {
        callback(null, {
          user_id: 'shop|' + user.id.toString(),
          nickname: user.nickname,
          email: user.email,
          email_verified: user.verified === 1
        });
      }
    });
  });
}
