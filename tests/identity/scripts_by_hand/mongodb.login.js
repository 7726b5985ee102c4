function login(email, password, callback) {
  const bcrypt = require('bcrypt');
  const MongoClient = require('mongodb@3.1.4').MongoClient;
  const client = new MongoClient(configuration.DATABASE_URL, { serverSelectionTimeoutMS: 300 });
  client.connect(function (err) {
    if (err) return callback(new Error('Store away'));
    const users = client.db().collection('users');
    users.findOne({ email: email.toLowerCase() }, function (err, user) {
      if (err || !user) {
        client.close();
        return callback(err ? new Error('Store away') : new WrongUsernameOrPasswordError(null));
      }
      bcrypt.compare(password, user.password_hash || '', function (err, isValid) {
        client.close();
        if (err || !isValid) return callback(err ? new Error('hash') : new WrongUsernameOrPasswordError(email));
        return callback(null, { user_id: 'shop|' + user._id.toString(), email: user.email, email_verified: user.email_verified });
      });
    });
  });
}
