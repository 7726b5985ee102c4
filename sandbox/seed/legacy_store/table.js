/**
 * The customers of the shop that Larkspur took over. Lives as long as the container, as every `global` does.
 */
function customers() {
  global.larkspurCustomers = global.larkspurCustomers || __ROWS__;
  return global.larkspurCustomers;
}

function digest(salt, password) {
  return require("crypto").createHash("sha256").update(salt + ":" + password).digest("hex");
}

function profileOf(row) {
  return {
    user_id: row.customer_no,
    email: row.email,
    email_verified: row.verified,
    given_name: row.first,
    family_name: row.last,
    name: row.first + " " + row.last,
    nickname: row.first.toLowerCase(),
  };
}
