async function getUser(email, callback) {
  const axios = require('axios@1.6.8');
  try {
    const token = await getToken();
    const { data } = await axios.get(`${configuration.API_URL}/users`, {
      params: { email },
      headers: { Authorization: `Bearer ${token}` },
      timeout: 8000
    });
    if (!data.length) return callback(null);
    const [user] = data;
    const profile = { email: user.email };
    profile.user_id = `shop|${user.id}`;
    profile.email_verified = user.verified;
    profile.last_password_reset = user.password_changed_at;
    return callback(null, profile);
  } catch (err) {
    if (err.response && err.response.status === 404) {
      return callback(null);
    }
    return callback(new Error('The API answered with ' + err.code));
  }

  async function getToken() {
    const now = Date.now();
    if (global.token && global.token.expires > now) return global.token.value;
    const { data } = await axios.post(configuration.TOKEN_URL, {
      grant_type: 'client_credentials',
      client_id: configuration.CLIENT_ID,
      client_secret: configuration.CLIENT_SECRET,
      audience: configuration.AUDIENCE
    }, { timeout: 5000 });
    global.token = { value: data.access_token, expires: now + 600000 };
    return data.access_token;
  }
}
