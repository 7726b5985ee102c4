function create(user, callback) {
  const email = user.email.toLowerCase();
  if (customers().some((one) => one.email === email)) {
    return callback(new ValidationError("user_exists", "There is a customer with this address."));
  }
  const salt = require("crypto").randomBytes(8).toString("hex");
  const number = customers().length + 1;
  customers().push({
    customer_no: "legacy-store-" + String(number).padStart(4, "0"),
    email: email,
    first: user.given_name || email.split("@")[0],
    last: user.family_name || "",
    verified: false,
    salt: salt,
    sha256: digest(salt, user.password),
  });
  return callback(null);
}
