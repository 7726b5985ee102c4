{#- What all scripts share: the profile, which login and get_user must give alike, and the one error text. -#}
{% macro profile(form) -%}
{
    // Unique over all connections of the tenant, and the same at every sign-in.
    user_id: `{{ form.connection }}|${user.{{ form.columns.user_id }}}`,
{% for field, column in form.profile_columns.items() %}
    {{ field }}: {{ "Boolean(user." ~ column ~ ")" if field == "email_verified" else "user." ~ column }},
{% endfor %}
  }
{%- endmacro %}
{% macro id_is_there(form, store) -%}
{% if store.may_lack_id %}
  if (!user.{{ form.columns.user_id }}) {
    // Without it Auth0 would take all users for one.
    return callback(new Error('The record of this user has no {{ form.columns.user_id }}.'));
  }
{%- endif %}
{%- endmacro %}
{% macro trouble() -%}
new Error('The user database could not be reached. Please try again later.')
{%- endmacro %}
