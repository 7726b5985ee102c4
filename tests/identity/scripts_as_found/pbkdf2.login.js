async function login(email, password, callback) {
  const crypto = require('crypto');
  const { promisify } = require('util');
  const { MongoClient } = require('mongodb@5.9.2');
  const client = new MongoClient(configuration.URI, { serverSelectionTimeoutMS: 5000 });
  try {
    const user = await client.db('shop').collection('users').findOne({ email: email.toLowerCase() });
    if (!user) return callback(new WrongUsernameOrPasswordError(null));
    const derived = await promisify(crypto.pbkdf2)(password, user.salt, user.iterations, 64, 'sha512');
    if (!crypto.timingSafeEqual(derived, Buffer.from(user.hash, 'hex'))) return callback(new WrongUsernameOrPasswordError(email));
    if (user.salt === undefined) return callback(new Error('x'));
    return callback(null, { user_id: `shop|${user._id}`, email: user.email, email_verified: user.verified, has_password: true });
  } catch (e) {
    return callback(new Error('The database is away.'));
  } finally {
    await client.close();
  }
}
