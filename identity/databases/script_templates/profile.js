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
{% macro trouble() -%}
new Error('The user database could not be reached. Please try again later.')
{%- endmacro %}
