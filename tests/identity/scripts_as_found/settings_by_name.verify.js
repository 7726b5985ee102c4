async function verify(email, callback) {
  const config = configuration;
  const { Pool } = require('pg@8.11.3');
  function pool() {
    if (!global.verifyPool) {
      const made = new Pool({ connectionString: config.DATABASE_URL, connectionTimeoutMillis: 5000 });
      global.verifyPool = made;
    }
    return global.verifyPool;
  }
  try {
    const { rowCount } = await pool().query('UPDATE users SET verified = true WHERE email = $1', [email]);
    return callback(null, rowCount > 0);
  } catch (e) { return callback(new Error('Could not write: ' + e.code)); }
}
