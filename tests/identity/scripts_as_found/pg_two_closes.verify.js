async function verify(email, callback) {
  const { Client } = require('pg@8.11.3');
  const client = new Client({ connectionString: configuration.DATABASE_URL, connectionTimeoutMillis: 5000 });
  try {
    await client.connect();
    await client.query('UPDATE users SET email_verified = true WHERE email = $1', [email]);
    await client.end();
  } catch (e) {
    await client.end().catch(() => {});
    return callback(new Error('The database did not answer.'));
  }
  return callback(null, true);
}
