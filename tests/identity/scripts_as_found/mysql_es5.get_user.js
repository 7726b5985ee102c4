function getByEmail(email, callback) {
  var mysql = require('mysql@2.18.1');
  var connection = mysql.createConnection({ host: configuration.host, user: configuration.user, password: configuration.password, database: configuration.database, connectTimeout: 8000 });
  connection.connect(function (err) {
    if (err) {
      console.log('connect failed: ' + err.code);
      return callback(new Error('Cannot reach the database'));
    }
    var sql = 'SELECT id, email, confirmed FROM users';
    sql += ' WHERE email = ?';
    sql += ' LIMIT 1';
    connection.query({ sql: sql, values: [email], timeout: 8000 }, function (error, results, fields) {
      connection.end(function () {
        if (error) return callback(new Error('Cannot read the database'));
        if (!results || !results.length) return callback(null, null);
        var r = results[0];
        var profile = {};
        profile.user_id = 'shop|' + r.id;
        profile.email = r.email;
        profile['email_verified'] = r.confirmed == 1;
        return callback(null, profile);
      });
    });
  });
}
