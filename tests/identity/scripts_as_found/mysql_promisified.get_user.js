async function getUser(email, callback) {
  const mysql = require('mysql@2.18.1');
  const util = require('util');
  const connection = mysql.createConnection({ host: configuration.HOST, connectTimeout: 5000 });
  const query = util.promisify(connection.query).bind(connection);
  connection.connect();
  try {
    const placeholders = [email, email].map(() => '?').join(', ');
    const rows = await query(`SELECT id, email, verified FROM users WHERE email IN (${placeholders})`, [email, email]);
    if (rows.length === 0) { return callback(null); }
    return callback(null, { user_id: 'shop|' + rows[0].id, email: rows[0].email, email_verified: rows[0].verified === 1 });
  } catch (err) {
    return callback(new Error('The database is away.'));
  } finally {
    connection.end();
  }
}
