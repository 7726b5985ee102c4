function getByEmail(email, callback) {
  const { Connection, Request, TYPES } = require('tedious@11.0.3');
  const connection = new Connection({ server: configuration.SQL_SERVER, authentication: { type: 'default', options: { userName: configuration.SQL_USER, password: configuration.SQL_PASSWORD } }, options: { encrypt: true, connectTimeout: 5000 } });
  connection.on('connect', function (err) {
    if (err) return callback(new Error('Could not connect'));
    const q = new Request('SELECT id, email, email_verified FROM users WHERE LOWER(email) = LOWER(@Email)', function (err, rowCount) {
      connection.close();
      if (err) return callback(new Error('Query failed'));
      if (rowCount < 1) return callback();
    });
    q.addParameter('Email', TYPES.VarChar, email);
    q.on('row', function (fields) {
      callback(null, { user_id: 'shop|' + fields[0].value, email: fields[1].value, email_verified: fields[2].value });
    });
    connection.execSql(q);
  });
  connection.connect();
}
