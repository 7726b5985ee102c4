async function changePassword(email, newPassword, callback) {
  try {
    const res = await fetch(`${configuration.API}/users/${encodeURIComponent(email)}`, { method: 'PATCH', signal: AbortSignal.timeout(8000), headers: { Authorization: `Bearer ${configuration.TOKEN}` }, body: JSON.stringify({ password: newPassword }) });
    if (res.status === 404) return callback(null, false);
    if (!res.ok) throw new Error(`HTTP ${res.status}`);
    const { changedAt } = await res.json();
    return callback(null, { last_password_reset: Date.parse(changedAt) });
  } catch (error) {
    if (error.name === 'AbortError' || error.name === 'TimeoutError') return callback(new Error('The API took too long.'));
    console.error(`change_password: ${error.name}`);
    return callback(new Error('The password could not be changed.'));
  }
}
