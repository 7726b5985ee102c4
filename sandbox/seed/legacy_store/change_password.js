function changePassword(identifierValue, newPassword, callback) {
  const row = customers().find((one) => one.email === identifierValue.toLowerCase());
  if (!row) return callback(null, false);
  row.sha256 = digest(row.salt, newPassword);
  return callback(null, true);
}
