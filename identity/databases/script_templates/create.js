/**
 * create: a person signs up. `user` holds email, password (plain){% if form.columns.get('username') %}, username{% endif %} and metadata.
 *
 * Settings: {{ store.settings }}
 */
async function create(user, callback) {
{{ modules }}

{% include helper %}
{% if not store.checks_password %}

{% include hash_make %}
{% endif %}

  try {
{% if not store.checks_password %}
    const hash = await passwordHash(user.password);
{% endif %}
    await {{ store.insert() }};
  } catch (error) {
    if ({{ store.is_duplicate }}) {
      return callback(new ValidationError('user_exists', 'The user already exists.'));
    }
    return callback({{ shared.trouble() }});
  }
  return callback(null);
}
