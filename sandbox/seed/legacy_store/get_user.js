function getUser(email, callback) {
  const row = customers().find((one) => one.email === email.toLowerCase());
  return row ? callback(null, profileOf(row)) : callback(null);
}
