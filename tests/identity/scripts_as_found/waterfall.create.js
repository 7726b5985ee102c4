function create(user, callback) {
  const async = require('async@2.6.4');
  const bcrypt = require('bcrypt@5.1.1');
  const { Pool } = require('pg@8.11.3');
  const pool = new Pool({ connectionString: configuration.URL, connectionTimeoutMillis: 5000 });
  async.waterfall([
    (next) => bcrypt.hash(user.password, 12, next),
    (hash, next) => pool.query('INSERT INTO users (email, hash) VALUES ($1, $2)', [user.email, hash], next),
  ], (err) => {
    pool.end();
    if (err && err.code === '23505') return callback(new ValidationError('user_exists', 'Taken.'));
    if (err) return callback(new Error('Could not write'));
    callback(null);
  });
}
