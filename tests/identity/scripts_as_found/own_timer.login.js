function login(email, password, callback) {
  const { Client } = require('pg@8.11.3');
  const bcrypt = require('bcrypt@5.1.1');
  let finished = false;
  const timer = setTimeout(() => { if (!finished) { finished = true; client.end(); callback(new Error('Timed out')); } }, 9000);
  const finish = (error, profile) => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    client.end();
    callback(error, profile);
  };
  const client = new Client({ connectionString: configuration.URL, connectionTimeoutMillis: 5000 });
  client.connect()
    .then(() => client.query('SELECT id, email, hash FROM users WHERE email = $1', [email]))
    .then(({ rows: [row] }) => {
      if (!row) return finish(new WrongUsernameOrPasswordError(null));
      return bcrypt.compare(password, row.hash).then((ok) => ok
        ? finish(null, { user_id: `shop|${row.id}`, email: row.email, email_verified: true })
        : finish(new WrongUsernameOrPasswordError(email)));
    })
    .catch(() => finish(new Error('Database away')));
}
