async function getUser(email, callback) {
  const { Pool } = require('pg@8.11.3');
  const pool = new Pool({ connectionString: configuration.URL, connectionTimeoutMillis: 3000, max: 1 });
  const select = async (text, values) => (await pool.query(text, values)).rows;
  try {
    const [row] = await select(`SELECT ${['id', 'email', 'verified'].map((c) => `"${c}"`).join(', ')} FROM "users" WHERE "email" = $1`, [email]);
    if (row === undefined) return callback(null);
    const user = { user_id: ['shop', row.id].join('|'), email: row.email, email_verified: row.verified, mfa_factors: [] };
    return callback(null, user);
  } catch (_) {
    return callback(new Error('The user store did not answer.'));
  } finally {
    await pool.end();
  }
}
