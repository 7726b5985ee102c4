async function create(user, callback) {
  const { Connection, Request, TYPES } = require('tedious@11.0.3');
  const crypto = require('crypto');
  const salt = crypto.randomBytes(16);
  try {
    const hash = await new Promise((resolve, reject) => crypto.pbkdf2(user.password, salt, 600000, 32, 'sha256', (err, key) => err ? reject(err) : resolve(key)));
    await run('INSERT INTO dbo.Users (Email, PasswordHash, Salt) VALUES (@Email, @Hash, @Salt)', { Email: user.email, Hash: hash.toString('base64'), Salt: salt.toString('base64') });
    return callback(null);
  } catch (err) {
    if (err.number === 2627) return callback(new ValidationError('user_exists', 'This e-mail is taken.'));
    return callback(new Error('The account could not be made.'));
  }
  function run(sql, values) {
    return new Promise((resolve, reject) => {
      const connection = new Connection({ server: configuration.SERVER, authentication: { type: 'default', options: { userName: configuration.USER, password: configuration.PASSWORD } }, options: { encrypt: true, connectTimeout: 5000, requestTimeout: 8000 } });
      connection.on('connect', (err) => {
        if (err) return reject(err);
        const request = new Request(sql, (problem, count) => { connection.close(); return problem ? reject(problem) : resolve(count); });
        Object.keys(values).forEach((name) => request.addParameter(name, TYPES.NVarChar, values[name]));
        connection.execSql(request);
      });
      connection.connect();
    });
  }
}
