function getByEmail(email, callback) {
  const { Connection, Request, TYPES } = require('tedious@11.0.3');
  const connection = new Connection({ server: configuration.SQL_SERVER, options: { encrypt: true, connectTimeout: 5000 } });
  connection.on('connect', function (err) {
    if (err) return callback(new Error('Could not connect'));
    const getMembershipQuery = new Request('SELECT Id, Email FROM Users WHERE Email = @Email', function (err, rowCount) {
      connection.close();
      if (err) return callback(new Error('Query failed'));
      if (rowCount < 1) return callback();
    });
    getMembershipQuery.addParameter('Email', TYPES.VarChar, email);
    getMembershipQuery.on('row', function (fields) {
      const user = { user_id: 'shop|' + fields.Id.value, email: fields.Email.value, email_verified: true };
      callback(null, user);
    });
    connection.execSql(getMembershipQuery);
  });
  connection.connect();
}
