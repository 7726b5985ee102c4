function login(email, password, callback) {
  const fetch = require('node-fetch@2.7.0');
  return fetch(configuration.URL + '/login', { method: 'POST', timeout: 5000, headers: { Authorization: 'Basic ' + Buffer.from(configuration.ID + ':' + configuration.SECRET).toString('base64') }, body: JSON.stringify({ email, password }) })
    .then((response) => {
      if (response.status === 401) {
        callback(new WrongUsernameOrPasswordError(email));
        return null;
      }
      return response.json();
    })
    .then((user) => {
      if (!user) return;
      callback(null, { user_id: 'shop|' + user.id, email: user.email, email_verified: true });
    })
    .catch(() => callback(new Error('The API is away.')));
}
