const axios = require('axios@1.6.8');

async function login(userNameOrEmail, password, callback) {
  try {
    const token = await getToken();
    const { data: user } = await axios.post(
      `${configuration.API_URL}/users/check-password`,
      { identifier: userNameOrEmail, password },
      { headers: { Authorization: `Bearer ${token}` }, timeout: 5000 }
    );
    return callback(null, { user_id: `shop|${user.id}`, email: user.email, email_verified: user.email_verified });
  } catch (error) {
    if (error.response && error.response.status === 404) {
      return callback(new WrongUsernameOrPasswordError(null));
    }
    return callback(new Error('The user store does not answer.'));
  }

  async function getToken() {
    global.held = global.held || {};
    if (global.held.until > Date.now()) return global.held.token;
    const { data } = await axios.post(configuration.TOKEN_URL, {
      grant_type: 'client_credentials',
      client_id: configuration.CLIENT_ID,
      client_secret: configuration.CLIENT_SECRET,
      audience: configuration.API_AUDIENCE
    }, { timeout: 5000 });
    global.held = { token: data.access_token, until: Date.now() + 600000 };
    return global.held.token;
  }
}
