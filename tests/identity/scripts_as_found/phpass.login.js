function login(email, password, callback) {
  const crypto = require('crypto');
  const mysql = require('mysql@2.18.1');
  const itoa64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const connection = mysql.createConnection({ host: configuration.HOST, connectTimeout: 5000 });
  connection.query('SELECT ID, user_email, user_pass, display_name FROM wp_users WHERE user_email = ? OR user_login = ?', [email, email], function (err, rows) {
    connection.end();
    if (err) { return callback(new Error('Could not read.')); }
    if (!rows[0]) { return callback(new WrongUsernameOrPasswordError(null)); }
    if (!check(password, rows[0].user_pass)) { return callback(new WrongUsernameOrPasswordError(email)); }
    return callback(null, { user_id: 'wp|' + rows[0].ID, email: rows[0].user_email, name: rows[0].display_name, email_verified: true });
  });
  function md5(...parts) { const h = crypto.createHash('md5'); parts.forEach((p) => h.update(p)); return h.digest(); }
  function check(given, stored) {
    let count = 1 << itoa64.indexOf(stored[3]);
    let hash = md5(stored.slice(4, 12), given);
    do { hash = md5(hash, given); } while (--count);
    return crypto.timingSafeEqual(Buffer.from(stored.slice(12)), Buffer.from(encode(hash)));
  }
  function encode(bytes) { return base64 && bytes.toString('base64'); }
}
