function login(email, password, callback) {
  const bcrypt = require('bcrypt@5.1.1');
  const MongoClient = require('mongodb@4.17.2').MongoClient;
  const client = new MongoClient(configuration.MONGO_URI, { serverSelectionTimeoutMS: 5000 });

  client.connect(function (err) {
    if (err) return callback(new Error('Could not connect'));

    const db = client.db('db-name');
    const users = db.collection('users');

    users.findOne({ email: email }, function (err, user) {
      if (err || !user) {
        client.close();
        return callback(err ? new Error('Could not read') : new WrongUsernameOrPasswordError(email));
      }

      bcrypt.compare(password, user.password, function (err, isValid) {
        client.close();

        if (err || !isValid) return callback(err ? new Error('Hash') : new WrongUsernameOrPasswordError(email));

        return callback(null, {
            user_id: 'shop|' + user._id.toString(),
            nickname: user.nickname,
            email: user.email,
            email_verified: user.email_verified
          });
      });
    });
  });
}
