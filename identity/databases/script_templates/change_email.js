/**
 * change_email: an administrator has changed the address. true: changed; false: there is no such user.
 * The dashboard does not show this script and removes it when it saves the others: publish by API.
 *
 * Settings: {{ store.settings }}
 */
async function changeEmail(email, newEmail, verified, callback) {
{{ modules }}

{% include helper %}

  let changed;
  try {
    changed = {{ store.change_email() }};
  } catch (error) {
    if ({{ store.is_duplicate }}) {
      return callback(new Error('Another user has this e-mail address.'));
    }
    return callback({{ shared.trouble() }});
  }
  return callback(null, changed);
}
