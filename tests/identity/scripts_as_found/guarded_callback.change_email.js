function changeEmail(email, newEmail, verified, callback) {
  var cb = callback;
  const once = (fn) => { let called = false; return (...a) => { if (!called) { called = true; fn(...a); } }; };
  const done = once(callback);
  const mysql = require('mysql@2.18.1');
  const connection = mysql.createConnection({ host: configuration.HOST, connectTimeout: 5000 });
  connection.on('error', () => done(new Error('Connection lost')));
  connection.query('UPDATE users SET email = ?, verified = ? WHERE email = ?', [newEmail, verified, email], function (err, result) {
    connection.end();
    if (err) return done(new Error('Could not write'));
    return done(null, result.affectedRows > 0);
  });
}
