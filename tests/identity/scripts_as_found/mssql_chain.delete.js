function deleteUser(id, callback) {
  const sql = require('mssql@9.1.1');
  const config = { server: configuration.SERVER, user: configuration.USER, password: configuration.PASSWORD, database: configuration.DB, connectionTimeout: 5000, options: { encrypt: true } };
  sql.connect(config)
    .then((pool) => pool.request().input('id', sql.Int, parseInt(id.split('|').pop(), 10)).query('DELETE FROM dbo.Users WHERE Id = @id'))
    .then(() => sql.close())
    .then(() => callback(null))
    .catch((err) => {
      sql.close();
      callback(new Error('The user could not be deleted (' + err.code + ')'));
    });
}
