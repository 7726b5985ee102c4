/**
 * get_user: Auth0 asks whether a user exists, without a password.
{% if form.import_mode %}
 * It runs at sign-up and password reset, so that a user who was never here is moved too.
{% else %}
 * It runs before sign-up, password change and changes of the e-mail address.
{% endif %}
 *
 * Settings: {{ store.settings }}
 */
async function getUser(email, callback) {
{{ modules }}

{% include helper %}

  let user;
  try {
    user = await {{ store.find("email") }};
  } catch (error) {
    // An error is an error: "not found" here would let Auth0 create the user a second time.
    return callback({{ shared.trouble() }});
  }
  if (!user) {
    return callback(null);
  }
{{ shared.id_is_there(form, store) }}
  return callback(null, {{ shared.profile(form) }});
}
