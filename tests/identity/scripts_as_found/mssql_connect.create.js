async function create(user, callback) {
  const sql = require('mssql@9.1.1');
  const bcrypt = require('bcrypt@5.1.1');
  try {
    const hash = await bcrypt.hash(user.password, 12);
    const pool = await sql.connect({ server: configuration.SQL_SERVER, user: configuration.SQL_USER, password: configuration.SQL_PASSWORD, database: 'Shop', connectionTimeout: 5000 });
    await pool.request()
      .input('email', sql.NVarChar, user.email)
      .input('hash', sql.NVarChar, hash)
      .query('INSERT INTO Users (Email, PasswordHash) VALUES (@email, @hash)');
    return callback(null);
  } catch (err) {
    if (err.number === 2627 || err.number === 2601) return callback(new ValidationError('user_exists', 'The user exists.'));
    return callback(new Error(`SQL Server said ${err.number}`));
  } finally {
    await sql.close();
  }
}
