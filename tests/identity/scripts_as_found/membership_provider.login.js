function login(email, password, callback) {
  const crypto = require('crypto');
  const sqlserver = require('tedious@11.0.3');

  const Connection = sqlserver.Connection;
  const Request = sqlserver.Request;
  const TYPES = sqlserver.TYPES;

  const connection = new Connection({
    server: configuration.SQL_SERVER,
    options: { encrypt: true, connectTimeout: 5000 }
  });

  function hashPassword(password, salt) {
    // the default implementation uses HMACSHA256 and since Key length is 64
    // and default salt is 16 bytes, Membership will fill the buffer repeating the salt
    const key = Buffer.concat([salt, salt, salt, salt]);
    const hmac = crypto.createHmac('sha256', key);
    hmac.update(Buffer.from(password, 'ucs2'));
    return hmac.digest();
  }

  connection.on('connect', function (err) {
    if (err) return callback(new Error('Could not connect'));

    getMembershipUser(email, function (err, user) {
      connection.close();
      if (err) return callback(new Error('Could not read the user'));
      if (!user || !user.profile || !user.password) return callback(new WrongUsernameOrPasswordError(email));

      const salt = Buffer.from(user.password.salt, 'base64');
      const expected = Buffer.from(user.password.password, 'base64');
      if (!crypto.timingSafeEqual(hashPassword(password, salt), expected)) {
        return callback(new WrongUsernameOrPasswordError(email));
      }
      callback(null, user.profile);
    });
  });

  // Membership Provider implementation used on Microsoft.AspNet.Providers NuGet
  function getMembershipUser(usernameOrEmail, done) {
    var profile = null;
    var password = null;

    const query =
      'SELECT Memberships.UserId, Email, Users.UserName, Password, PasswordSalt ' +
      'FROM Memberships INNER JOIN Users ON Users.UserId = Memberships.UserId ' +
      'WHERE Memberships.Email = @Username OR Users.UserName = @Username';

    const getMembershipQuery = new Request(query, function (err, rowCount) {
      if (err || rowCount < 1) return done(err);
      done(err, { profile: profile, password: password });
    });

    getMembershipQuery.addParameter('Username', TYPES.VarChar, usernameOrEmail);

    getMembershipQuery.on('row', function (fields) {
      profile = { user_id: 'shop|' + fields.UserId.value, nickname: fields.UserName.value, email: fields.Email.value };
      password = { password: fields.Password.value, salt: fields.PasswordSalt.value };
    });

    connection.execSql(getMembershipQuery);
  }
  connection.connect();
}
