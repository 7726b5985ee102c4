async function changePassword(email, newPassword, callback) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 8000);
  try {
    const response = await fetch(new URL(`/users/${encodeURIComponent(email)}/password`, configuration.API_URL), {
      method: 'PUT',
      signal: controller.signal,
      headers: { 'content-type': 'application/json', 'x-functions-key': configuration.API_KEY },
      body: JSON.stringify({ password: newPassword }),
    });
    switch (response.status) {
      case 200:
      case 204:
        callback(null, true);
        break;
      case 404:
        callback(null, false);
        break;
      default:
        callback(new Error(`The API answered with ${response.status}`));
    }
  } catch (error) {
    callback(new Error('The API is away.'));
  } finally {
    clearTimeout(timer);
  }
}
