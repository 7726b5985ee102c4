async function login(email, password, callback) {
  const sql = require('mssql@9.1.1');
  const pool = new sql.ConnectionPool({ server: configuration.SERVER, options: { encrypt: true }, connectionTimeout: 5000, requestTimeout: 8000 });
  let result;
  try {
    await pool.connect();
    result = await pool.request().input('email', sql.NVarChar(255), email).input('password', sql.NVarChar(255), password).execute('dbo.CheckLogin');
  } catch (err) {
    return callback(new Error('The database is away.'));
  } finally {
    await pool.close().catch(() => {});
  }
  if (!result.recordset.length) return callback(new WrongUsernameOrPasswordError(email));
  const record = result.recordset[0];
  return callback(null, { user_id: `shop|${record.Id}`, email: record.Email, email_verified: record.Verified });
}
