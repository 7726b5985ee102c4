function deleteUser(id, callback) {
  const { MongoClient, ObjectId } = require('mongodb@5.9.2');
  const client = new MongoClient(configuration.URI, { serverSelectionTimeoutMS: 5000 });
  client.db().collection('users').deleteOne({ _id: new ObjectId(id) })
    .finally(() => client.close())
    .then(callback.bind(null, null), () => callback(new Error('Could not delete')));
}
