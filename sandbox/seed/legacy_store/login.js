function login(userNameOrEmail, password, callback) {
  const row = customers().find((one) => one.email === userNameOrEmail.toLowerCase());
  if (!row) return callback(new WrongUsernameOrPasswordError(null, "No such customer."));
  if (row.sha256 !== digest(row.salt, password)) {
    return callback(new WrongUsernameOrPasswordError(row.customer_no, "Wrong password."));
  }
  return callback(null, profileOf(row));
}
