function create(user, callback) {
  const bcrypt = require('bcrypt@5.1.1'), mysql = require('mysql@2.18.1');
  const pool = mysql.createPool({ host: configuration.HOST, connectTimeout: 5000 });
  pool.getConnection(function (err, connection) {
    if (err) return callback(new Error('x'));
    connection.query('SELECT 1 FROM users WHERE email = ?', user.email, function (err, rows) {
      if (err || rows.length) { connection.release(); pool.end(); return callback(err ? new Error('x') : new ValidationError('user_exists', 'y')); }
      bcrypt.hash(user.password, 12, function (err, hash) {
        const record = { email: user.email, password: hash };
        connection.query('INSERT INTO users SET ?', record, function (err) {
          connection.release();
          pool.end();
          callback(err ? new Error('x') : null);
        });
      });
    });
  });
}
