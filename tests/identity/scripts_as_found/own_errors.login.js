async function login(userNameOrEmail, password, callback) {
  const bcrypt = require('bcrypt@5.1.1');
  const mysql = require('mysql2@3.9.7/promise');
  try {
    const user = await findUser(userNameOrEmail);
    if (!user) throw new WrongUsernameOrPasswordError(null, 'Wrong e-mail or password.');
    if (!(await bcrypt.compare(password, user.password))) throw new WrongUsernameOrPasswordError(userNameOrEmail, 'Wrong e-mail or password.');
    return callback(null, toProfile(user));
  } catch (err) {
    if (err instanceof WrongUsernameOrPasswordError) return callback(err);
    return callback(new Error('Something went wrong.'));
  }
  async function findUser(login) {
    const connection = await mysql.createConnection({ uri: configuration.DATABASE_URL, connectTimeout: 5000 });
    try {
      const [rows] = await connection.execute('SELECT * FROM users WHERE email = ? OR login = ?', [login, login]);
      return rows[0];
    } finally {
      await connection.end();
    }
  }
  function toProfile(user) {
    return { user_id: `shop|${user.id}`, email: user.email, email_verified: !!user.verified };
  }
}
