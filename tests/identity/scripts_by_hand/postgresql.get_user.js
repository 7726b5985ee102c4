async function getByEmail(email, callback) {
  const { Pool } = require('pg@8.11.3');
  const pool = new Pool({ connectionString: configuration.DATABASE_URL, connectionTimeoutMillis: 5000, max: 1 });
  try {
    const { rows } = await pool.query('SELECT id, email, email_verified FROM users WHERE lower(email) = lower($1)', [email]);
    if (!rows.length) return callback(null);
    return callback(null, { user_id: `shop|${rows[0].id}`, email: rows[0].email, email_verified: rows[0].email_verified });
  } catch (e) {
    return callback(new Error('Store away'));
  } finally {
    await pool.end();
  }
}
