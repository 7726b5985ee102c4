/**
 * change_password: a person has a new password. true: changed; false: there is no such user.
 *
 * Settings: {{ store.settings }}
 */
async function changePassword(email, newPassword, callback) {
{{ modules }}

{% include helper %}
{% if not store.checks_password %}

{% include hash_make %}
{% endif %}

  let changed;
  try {
{% if not store.checks_password %}
    const hash = await passwordHash(newPassword);
{% endif %}
    changed = {{ store.update_password() }};
  } catch (error) {
    return callback({{ shared.trouble() }});
  }
  return callback(null, changed);
}
