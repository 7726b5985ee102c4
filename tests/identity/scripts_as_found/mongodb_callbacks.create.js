function create(user, callback) {
  const bcrypt = require('bcrypt@5.1.1');
  const MongoClient = require('mongodb@4.17.2').MongoClient;
  const client = new MongoClient(configuration.MONGO_URI, { serverSelectionTimeoutMS: 5000 });

  client.connect(function (err) {
    if (err) return callback(new Error('Could not connect'));
    const users = client.db('db-name').collection('users');

    users.findOne({ email: user.email }, function (err, withSameMail) {
      if (err || withSameMail) {
        client.close();
        return callback(err ? new Error('Could not read') : new ValidationError('user_exists', 'the user already exists'));
      }

      bcrypt.hash(user.password, 10, function (err, hash) {
        if (err) {
          client.close();
          return callback(new Error('Could not hash'));
        }

        user.password = hash;
        users.insertOne(user, function (err, inserted) {
          client.close();

          if (err) return callback(new Error('Could not write'));
          callback(null);
        });
      });
    });
  });
}
