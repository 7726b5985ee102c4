function deleteUser(id, callback) {
  const at = customers().findIndex((one) => one.customer_no === id);
  if (at >= 0) customers().splice(at, 1);
  return callback(null);
}
