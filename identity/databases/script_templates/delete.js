/**
 * delete: the user is deleted in Auth0. `id` comes without "auth0|", as login and get_user gave it.
 *
 * Settings: {{ store.settings }}
 */
async function deleteUser(id, callback) {
{{ modules }}

{% include helper %}

  const key = String(id).replace(/^{{ form.connection }}\|/, '');
  try {
    await {{ store.delete() }};
  } catch (error) {
    return callback({{ shared.trouble() }});
  }
  return callback(null);
}
