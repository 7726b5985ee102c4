async function create(user, callback) {
  // Sign-up happens in the shop alone.
  return callback(new Error('Sign up in the shop, please.'));
}
