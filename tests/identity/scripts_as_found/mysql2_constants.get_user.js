function getUser(email, callback) {
  const mysql = require('mysql2@3.9.7');
  const COLUMNS = ['id', 'email', 'email_verified'];
  const TABLE = configuration.USERS_TABLE || 'users';
  const connection = mysql.createConnection({ uri: configuration.DATABASE_URL, connectTimeout: 5000 });
  const sql = 'SELECT ' + COLUMNS.join(', ') + ` FROM ${TABLE} WHERE email = ?`;
  connection.execute(sql, [email], (err, rows) => {
    connection.end();
    console.log('rows:', rows && rows.length);
    if (err) return callback(new Error('The database is away.'));
    if (!rows.length) return callback(null);
    const { id, email_verified } = rows[0];
    return callback(null, { user_id: `shop|${id}`, email: rows[0].email, email_verified: Boolean(email_verified) });
  });
}
