async function getByEmail(email, callback) {
  const { MongoClient } = require('mongodb@5.9.2');
  const client = new MongoClient(configuration.DATABASE_URL, { serverSelectionTimeoutMS: 300 });
  try {
    const user = await client.db().collection('users').findOne({ email: email.toLowerCase() });
    if (!user) return callback(null);
    return callback(null, { user_id: 'shop|' + user._id, email: user.email, email_verified: user.email_verified });
  } catch (e) { return callback(new Error('Store away')); } finally { await client.close(); }
}
