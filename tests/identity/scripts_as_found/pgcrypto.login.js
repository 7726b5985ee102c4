async function login(email, password, callback) {
  const { Pool } = require('pg@8.11.3');
  global.pool = global.pool || new Pool({ connectionString: configuration.DATABASE_URL, connectionTimeoutMillis: 5000, max: 2 });
  let result;
  try {
    result = await global.pool.query(
      'SELECT id, email, verified FROM users WHERE email = lower($1) AND password = crypt($2, password)', [email, password]);
  } catch (err) {
    console.error('login failed', err.code, result && result.rows.length);
    return callback(new Error('Database unavailable'));
  }
  if (result.rowCount === 0) return callback(new WrongUsernameOrPasswordError(null, 'Wrong e-mail or password'));
  const [{ id, verified }] = result.rows;
  callback(null, { user_id: `shop|${id}`, email: result.rows[0].email, email_verified: verified });
}
