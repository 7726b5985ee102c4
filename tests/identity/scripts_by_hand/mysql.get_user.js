function getUser(email, callback) {
  const mysql = require('mysql2');
  const connection = mysql.createConnection({ uri: configuration.DATABASE_URL, connectTimeout: 5000 });
  connection.on('error', () => {});
  connection.execute('SELECT id, email, email_verified FROM users WHERE lower(email) = lower(?)', [email], function (err, results) {
    connection.end();
    if (err) return callback(new Error('Store away'));
    if (results.length === 0) return callback(null);
    callback(null, { user_id: 'shop|' + results[0].id, email: results[0].email, email_verified: !!results[0].email_verified });
  });
}
