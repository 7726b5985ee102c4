function login(ユーザー, passwörd, rückruf) {
  const größe = configuration.URL;
  fetch(größe, { signal: AbortSignal.timeout(5000), headers: { authorization: configuration.A } })
    .then((antwort) => antwort.json())
    .then((ñ) => rückruf(null, { user_id: `shop|${ñ.id}`, email: ユーザー, email_verified: true }))
    .catch(() => rückruf(new Error('кто там')));
}
