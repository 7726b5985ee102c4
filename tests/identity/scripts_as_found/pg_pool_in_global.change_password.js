function changePassword(email, newPassword, callback) {
  const { Pool } = require('pg@8.11.3');
  const bcrypt = require('bcrypt@5.1.1');
  const options = { connectionString: configuration.URL, connectionTimeoutMillis: 5000 };
  global.pool = global.pool || new Pool(options);
  bcrypt.hash(newPassword, 12)
    .then((hash) => global.pool.query('UPDATE users SET hash = $1 WHERE email = $2', [hash, email]))
    .then((result) => callback(null, result.rowCount > 0))
    .catch(() => callback(new Error('Store unavailable')));
}
