function changeEmail(email, newEmail, verified, callback) {
  const row = customers().find((one) => one.email === email.toLowerCase());
  if (!row) return callback(null, false);
  row.email = newEmail.toLowerCase();
  row.verified = verified;
  return callback(null, true);
}
