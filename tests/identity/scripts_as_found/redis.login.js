async function login(email, password, callback) {
  const { createClient } = require('redis@4.6.0');
  const bcrypt = require('bcrypt@5.1.1');
  const redis = createClient({ url: configuration.REDIS_URL, socket: { connectTimeout: 5000 } });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const raw = await redis.get('user:' + email.toLowerCase());
    const user = raw && JSON.parse(raw);
    const ok = user ? await bcrypt.compare(password, user.hash) : false;
    return ok ? callback(null, { user_id: `r|${user.id}`, email: user.email, email_verified: user.verified }) : callback(new WrongUsernameOrPasswordError(user ? email : null));
  } catch { return callback(new Error('The store is away.')); }
  finally { await redis.quit().catch(() => {}); }
}
