function getByEmail(email, callback) {
  const axios = require('axios');
  axios
    .post(configuration.TOKEN_URL, {
      grant_type: 'client_credentials',
      client_id: configuration.CLIENT_ID,
      client_secret: configuration.CLIENT_SECRET,
      audience: configuration.API_AUDIENCE
    }, { timeout: 5000 })
    .then(({ data }) => axios.get(`${configuration.API_URL}/users/${encodeURIComponent(email)}`, {
      headers: { Authorization: `Bearer ${data.access_token}` },
      timeout: 5000,
      validateStatus: (status) => status === 200 || status === 404
    }))
    .then(
      ({ status, data: user }) => status === 404
        ? callback(null)
        : callback(null, { user_id: `shop|${user.id}`, email: user.email, email_verified: user.email_verified }),
      () => callback(new Error('The user store does not answer.'))
    );
}
