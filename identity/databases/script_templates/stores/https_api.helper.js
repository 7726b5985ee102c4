  // A token of the API, kept in the container until shortly before it ends.
  async function accessToken() {
    global.userApiToken = global.userApiToken || { value: null, expiresAt: 0 };
    if (global.userApiToken.expiresAt > Date.now()) return global.userApiToken.value;
    const response = await fetch(configuration.TOKEN_URL, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        grant_type: 'client_credentials',
        client_id: configuration.CLIENT_ID,
        client_secret: configuration.CLIENT_SECRET,
        audience: configuration.API_AUDIENCE,
      }),
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error('The API gave no access token.');
    const token = await response.json();
    const seconds = Math.min(token.expires_in - 60, 1200);
    global.userApiToken = { value: token.access_token, expiresAt: Date.now() + seconds * 1000 };
    return token.access_token;
  }

  async function call(method, path, body) {
    const response = await fetch(new URL(path, configuration.API_URL.replace(/\/*$/, '/')), {
      method,
      headers: { authorization: `Bearer ${await accessToken()}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(8000),
    });
    // The token may have been withdrawn: the next execution asks for a new one.
    if (response.status === 401) delete global.userApiToken;
    if (!response.ok{% if script != "create" %} && response.status !== 404{% endif %}) {
      throw Object.assign(new Error('The API did not answer as expected.'), { status: response.status });
    }
    return response;
  }
{% if script == "login" %}

  // 404: no such user, or another password.
  async function checkPassword(identifier, secret) {
    const answer = await call('POST', 'users/check-password', { identifier, password: secret });
    return answer.status === 404 ? null : answer.json();
  }
{% elif script != "create" %}

  const userPath = (identifier) => `users/${encodeURIComponent(String(identifier))}`;
{% endif %}
