async function login(email, password, callback) {
  const sql = require('mssql@9.1.1');
  const bcrypt = require('bcrypt@5.1.1');
  let user;
  try {
    const pool = await sql.connect(configuration.DATABASE_URL);
    const result = await pool.request().input('email', sql.NVarChar(255), email).query('SELECT TOP 1 id, email, email_verified, password_hash FROM users WHERE LOWER(email) = LOWER(@email)');
    user = result.recordset[0];
  } catch (err) {
    return callback(new Error('Store away'));
  } finally {
    await sql.close();
  }
  if (!user) return callback(new WrongUsernameOrPasswordError(null));
  if (!user.password_hash) return callback(new WrongUsernameOrPasswordError(email));
  let ok;
  try { if (!/^\$2/.test(user.password_hash)) throw new Error('x'); ok = await bcrypt.compare(password, user.password_hash); } catch (e) { return callback(new Error('Hash')); }
  if (!ok) return callback(new WrongUsernameOrPasswordError(email));
  return callback(null, { user_id: 'shop|' + user.id, email: user.email, email_verified: !!user.email_verified });
}
