async function create(user, callback) {
  const crypto = require('crypto');
  const bcrypt = require('bcrypt@5.1.1');
  const { Client } = require('pg@8.11.3');
  const client = new Client({ connectionString: configuration.URL, connectionTimeoutMillis: 5000 });
  const picture = 'https://www.gravatar.com/avatar/' + crypto.createHash('md5').update(user.email.trim().toLowerCase()).digest('hex');
  try {
    await client.connect();
    const hash = await bcrypt.hash(user.password, 10);
    await client.query({ text: 'INSERT INTO users(email, password, picture) VALUES ($1, $2, $3)', values: [user.email, hash, picture] });
    callback(null);
  } catch (err) {
    if (err.code === '23505') callback(new ValidationError('user_exists', 'Taken.'));
    else callback(new Error('Could not write.'));
  } finally {
    client.end();
  }
}
