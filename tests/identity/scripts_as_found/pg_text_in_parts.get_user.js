async function getUser(email, callback) {
  const { Client } = require('pg@8.11.3');
  const client = new Client({ connectionString: configuration.URL, connectionTimeoutMillis: 5000 });
  const fields = Object.keys({ id: 1, email: 1 }).join(', ');
  let sql = `SELECT ${fields} FROM users WHERE `;
  sql += email.includes('@') ? 'email = $1' : 'login = $1';
  try {
    await client.connect();
    const { rows } = await client.query(sql, [email]);
    callback(null, rows.length ? { user_id: `s|${rows[0].id}`, email: rows[0].email, email_verified: true } : undefined);
  } catch (err) {
    callback(new Error('x'));
  } finally { client.end(); }
}
