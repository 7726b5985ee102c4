async function getUser(email, callback) {
  const { MongoClient } = require('mongodb@5.9.2');
  global.mongo = global.mongo || new MongoClient(configuration.URI, { serverSelectionTimeoutMS: 5000, maxPoolSize: 2 });
  try {
    const user = await global.mongo.db('shop').collection('users').findOne({ email: { $eq: String(email).toLowerCase() } }, { projection: { password: 0 } });
    return user ? callback(null, { user_id: `shop|${user._id}`, email: user.email, email_verified: user.verified === true, user_metadata: { plan: user.plan } }) : callback(null);
  } catch (error) {
    return callback(new Error('Could not look the user up.'));
  }
}
