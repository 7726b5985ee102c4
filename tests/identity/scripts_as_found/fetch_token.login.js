async function login(userNameOrEmail, password, callback) {
  try {
    const response = await fetch(configuration.LOGIN_URL, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${await getAccessToken()}` },
      body: JSON.stringify({ userNameOrEmail, password }),
      signal: AbortSignal.timeout(10000)
    });
    if (response.status === 401 || response.status === 404) {
      return callback(new WrongUsernameOrPasswordError(userNameOrEmail, "Invalid credentials"));
    }
    if (!response.ok) {
      return callback(new Error(`Upstream said ${response.status}`));
    }
    const { id, email, verified, ...rest } = await response.json();
    return callback(null, { user_id: `api|${id}`, email, email_verified: verified, user_metadata: { lang: rest.lang } });
  } catch (e) {
    if (e.name === "TimeoutError") return callback(new Error("The user service did not answer in time."));
    return callback(new Error("The user service is not reachable."));
  }

  async function getAccessToken() {
    const cached = global.apiToken;
    if (cached && cached.expiresAt > Date.now()) return cached.value;
    const res = await fetch(configuration.TOKEN_URL, {
      method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ grant_type: "client_credentials", client_id: configuration.CLIENT_ID, client_secret: configuration.CLIENT_SECRET, audience: configuration.AUDIENCE }),
      signal: AbortSignal.timeout(5000)
    });
    if (!res.ok) throw new Error("token endpoint " + res.status);
    const json = await res.json();
    global.apiToken = { value: json.access_token, expiresAt: Date.now() + (json.expires_in - 60) * 1000 };
    return global.apiToken.value;
  }
}
