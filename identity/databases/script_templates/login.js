/**
 * login: Auth0 asks whether an identifier and a password belong together.
{% if form.import_mode %}
 * It runs at a user's first sign-in only; Auth0 then keeps a copy of the user and the password's hash.
{% else %}
 * It runs at every sign-in.
{% endif %}
 *
 * Settings (never written into the code): {{ store.settings }}
 */
async function login(userNameOrEmail, password, callback) {
{{ modules }}

{% include helper %}
{% if store.checks_password %}

  let user;
  try {
    user = await checkPassword(userNameOrEmail, password);
  } catch (error) {
    return callback({{ shared.trouble() }});
  }
  if (!user) {
    // null: the API does not say which of the two was wrong, so that nobody can find out who has an account.
    return callback(new WrongUsernameOrPasswordError(null, 'Wrong e-mail or password.'));
  }
{% else %}

{% include hash_verify %}

  let user;
  try {
    user = await {{ store.find("userNameOrEmail") }};
  } catch (error) {
    return callback({{ shared.trouble() }});
  }
  if (!user) {
    // null: unknown user. Auth0 logs the type fu and shows the same text as for a wrong password.
    return callback(new WrongUsernameOrPasswordError(null, 'Wrong e-mail or password.'));
  }
  // A column of fixed width pads with blanks. Without a stored password nobody signs in.
  const stored = String(user.{{ form.columns.password }} || '').trim();
  let matches = false;
  try {
    matches = stored !== '' && (await passwordMatches(password, stored));
  } catch (error) {
    return callback(new Error('{{ unknown_hash }}'));
  }
  if (!matches) {
    return callback(new WrongUsernameOrPasswordError(userNameOrEmail, 'Wrong e-mail or password.'));
  }
{% endif %}
{{ shared.id_is_there(form, store) }}
  return callback(null, {{ shared.profile(form) }});
}
