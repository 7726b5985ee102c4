async function changePassword(email, newPassword, callback) {
  const bcrypt = require('bcryptjs@2.4.3');
  const mysql = require('mysql2@3.9.7/promise');
  let conn;
  try {
    conn = await mysql.createConnection({ host: configuration.H, user: configuration.U, password: configuration.P, database: configuration.D, connectTimeout: 4000, ssl: {} });
    const salt = await bcrypt.genSalt(12);
    const hashed = bcrypt.hashSync(newPassword, salt);
    const [result] = await conn.query('UPDATE users SET password = ?, updated_at = NOW() WHERE LOWER(email) = ?', [hashed, email.toLowerCase()]);
    return void callback(null, result.affectedRows === 1);
  } catch (e) {
    console.error('change_password', e.code);
    return void callback(new Error('Sorry, the password could not be changed.'));
  } finally {
    if (conn) conn.end();
  }
}
