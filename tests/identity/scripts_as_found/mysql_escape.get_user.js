function getByEmail(email, callback) {
  const mysql = require('mysql@2.18.1');
  const connection = mysql.createConnection({ host: configuration.HOST, connectTimeout: 5000 });
  connection.query('SELECT id, email FROM users WHERE email = ' + mysql.escape(email), function (err, rows) {
    connection.end();
    if (err) return callback(new Error('x'));
    if (!rows.length) return callback(null);
    callback(null, { user_id: `shop|${rows[0].id}`, email: rows[0].email, email_verified: true });
  });
}
