function login(email, password, callback) {
  const bcrypt = require('bcrypt@5.1.1');
  const sqlserver = require('tedious@11.0.3');
  const Connection = sqlserver.Connection;
  const Request = sqlserver.Request;
  const TYPES = sqlserver.TYPES;

  const connection = new Connection({
    server: configuration.SQL_SERVER,
    authentication: { type: 'default', options: { userName: configuration.SQL_USER, password: configuration.SQL_PASSWORD } },
    options: { database: 'mydb', encrypt: true, rowCollectionOnRequestCompletion: true, connectTimeout: 5000 }
  });

  const query = 'SELECT Id, Nickname, Email, Password FROM dbo.Users WHERE Email = @Email';

  connection.on('debug', function (text) {
    console.log(text);
  });

  connection.on('connect', function (err) {
    if (err) return callback(new Error('Could not connect'));

    const request = new Request(query, function (err, rowCount, rows) {
      connection.close();
      if (err) return callback(new Error('Query failed'));
      if (rowCount < 1) return callback(new WrongUsernameOrPasswordError(email));

      bcrypt.compare(password, rows[0][3].value, function (err, isValid) {
        if (err) return callback(new Error('Hash failed'));
        if (!isValid) return callback(new WrongUsernameOrPasswordError(email));

        callback(null, {
          user_id: 'shop|' + rows[0][0].value,
          nickname: rows[0][1].value,
          email: rows[0][2].value,
          email_verified: false
        });
      });
    });

    request.addParameter('Email', TYPES.VarChar, email);
    connection.execSql(request);
  });
  connection.connect();
}
