const remove = async function (id, callback) {
  const { Client } = require('pg@8.11.3');
  let client;
  try {
    client = new Client({ connectionString: configuration.DATABASE_URL, connectionTimeoutMillis: 5000 });
    await client.connect();
    await client.query('DELETE FROM users WHERE id = $1', [id.replace('shop|', '')]);
    return callback(null);
  } catch (e) {
    return callback(new Error('The database did not answer.'));
  } finally {
    if (client) await client.end();
  }
};
