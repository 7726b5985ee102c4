function login(email, password, callback) {
  // this example uses the "pg" library
  const bcrypt = require('bcrypt@5.1.1');
  const postgres = require('pg@7.17.1');

  const conString = configuration.DATABASE_URL;
  postgres.connect(conString, function (err, client, done) {
    if (err) return callback(new Error('The user store is away.'));

    const query = 'SELECT id, nickname, email, password FROM users WHERE email = $1';
    client.query(query, [email], function (err, result) {
      // NOTE: always call `done()` here to close the connection to the database
      done();

      if (err) return callback(new Error('The user store is away.'));
      if (result.rows.length === 0) return callback(new WrongUsernameOrPasswordError(email));

      const user = result.rows[0];

      bcrypt.compare(password, user.password, function (err, isValid) {
        if (err) return callback(new Error('Hash'));
        if (!isValid) return callback(new WrongUsernameOrPasswordError(email));

        return callback(null, {
          user_id: 'shop|' + user.id,
          nickname: user.nickname,
          email: user.email,
          email_verified: true
        });
      });
    });
  });
}
