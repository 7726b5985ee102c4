function verify(email, callback) {
  const MongoClient = require('mongodb@4.17.2').MongoClient;
  const client = new MongoClient(configuration.MONGO, { connectTimeoutMS: 5000 });
  client.connect(function (err) {
    if (err) return callback(new Error('Could not connect'));
    const users = client.db('shop').collection('users');
    const query = { email: email, email_verified: false };
    users.updateOne(query, { $set: { email_verified: true } }, function (err, result) {
      client.close();
      if (err) return callback(new Error('Could not write'));
      callback(null, result.modifiedCount > 0);
    });
  });
}
