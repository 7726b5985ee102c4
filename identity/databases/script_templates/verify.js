/**
 * verify: a person has followed the link in the verification mail. login and get_user then answer
 * email_verified: true.
 *
 * Settings: {{ store.settings }}
 */
async function verify(email, callback) {
{{ modules }}

{% include helper %}

  let verified;
  try {
    verified = {{ store.verify() }};
  } catch (error) {
    return callback({{ shared.trouble() }});
  }
  if (!verified) {
    return callback(new Error('There is no user with this e-mail address.'));
  }
  return callback(null, true);
}
