function remove(id, callback) {
  const { MongoClient, ObjectId } = require('mongodb@4.17.2');
  MongoClient.connect(configuration.URI, { serverSelectionTimeoutMS: 5000 }, function (err, client) {
    if (err) return callback(new Error('x'));
    client.db().collection('users').deleteOne({ _id: ObjectId(id.replace('s|', '')) }, function (err) {
      client.close();
      if (err) return callback(new Error('x'));
      callback(null);
    });
  });
}
