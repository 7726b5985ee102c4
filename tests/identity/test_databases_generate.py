"""From a short form to scripts that can be read, and a clear word about a form that can't become any."""

import itertools
import re

import pytest

from identity.databases import generate
from identity.databases.form import DEFAULT_COLUMNS, HASHES, STORES, BadForm, Form, default_columns


def form(**changes):
    columns = default_columns(changes.get("store", ""))
    return Form(**{"store": "postgresql", "connection": "larkspur-shop", "columns": columns, **changes})


@pytest.mark.parametrize(("store", "hash_name"), list(itertools.product(STORES, HASHES)))
def test_every_store_and_hash_gives_all_seven_scripts(store, hash_name):
    scripts = generate.scripts(form(store=store, hash=hash_name))
    assert list(scripts) == list(generate.SCRIPTS)
    for code in scripts.values():
        assert "{{" not in code and "{%" not in code
        assert max(map(len, code.splitlines())) <= 180
        assert len(code.encode()) < 10_000


def test_import_mode_gives_only_the_scripts_that_auth0_then_runs():
    assert list(generate.scripts(form(import_mode=True))) == ["login", "get_user"]


def test_secrets_are_read_from_the_configuration():
    for store in STORES:
        made = form(store=store)
        used = set(re.findall(r"configuration\.(\w+)", " ".join(generate.scripts(made).values())))
        assert used == set(generate.configuration_keys(made))


def test_the_password_is_never_in_the_profile():
    for store in STORES:
        code = generate.scripts(form(store=store))["login"]
        assert "password" not in code[code.index("return callback(null, {") :]


def test_optional_columns_appear_in_profile_and_sign_up():
    columns = {**DEFAULT_COLUMNS, "given_name": "first_name", "username": "login_name"}
    scripts = generate.scripts(form(columns=columns))
    assert "given_name: user.first_name" in scripts["login"] and "given_name: user.first_name" in scripts["get_user"]
    assert '"login_name"' in scripts["create"]
    assert '"login_name" = $2' in scripts["login"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"table": "users; drop table users"}, "table"),
        ({"table": 'users" --'}, "table"),
        ({"table": ""}, "table"),
        ({"table": "a.b.c"}, "table"),
        ({"table": "1users"}, "table"),
        ({"table": "users`"}, "table"),
        ({"table": "users\n"}, "table"),
        ({"columns": {**DEFAULT_COLUMNS, "email": "e-mail"}}, "columns.email"),
        ({"columns": {**DEFAULT_COLUMNS, "email": "x'; --"}}, "columns.email"),
        ({"columns": {**DEFAULT_COLUMNS, "user_id": ""}}, "columns.user_id"),
        ({"columns": {**DEFAULT_COLUMNS, "role": "role"}}, "columns.role"),
        ({"columns": {**DEFAULT_COLUMNS, "password": ""}}, "columns.password"),
        ({"table": "t" * 64}, "table"),
        ({"table": f"shop.{'t' * 64}"}, "table"),
        ({"store": "mysql", "table": "t" * 65}, "table"),
        ({"store": "sqlserver", "columns": {**DEFAULT_COLUMNS, "email": "e" * 129}}, "columns.email"),
        ({"columns": {**DEFAULT_COLUMNS, "email": "größe"}}, "columns.email"),
        ({"columns": {**DEFAULT_COLUMNS, "name": "password_hash"}}, "columns.name"),
        ({"columns": {**DEFAULT_COLUMNS, "email_verified": "Password_Hash"}}, "columns.email_verified"),
        ({"columns": {**DEFAULT_COLUMNS, "nickname": "email_verified"}}, "columns.nickname"),
        ({"store": "mongodb", "columns": DEFAULT_COLUMNS}, "columns.user_id"),
        ({"store": "oracle"}, "store"),
        ({"hash": "md5"}, "hash"),
        ({"connection": "-shop"}, "connection"),
        ({"connection": "a" * 36}, "connection"),
        ({"connection": "${process.exit()}"}, "connection"),
    ],
)
def test_a_bad_form_names_the_field_and_what_to_do(changes, field):
    with pytest.raises(BadForm) as refused:
        generate.scripts(form(**changes))
    assert list(refused.value.errors) == [field]
    assert len(refused.value.errors[field]) > 20


def test_several_mistakes_are_named_at_once():
    with pytest.raises(BadForm) as refused:
        generate.scripts(form(table="a b", store="x"))
    assert set(refused.value.errors) == {"table", "store"}


@pytest.mark.parametrize(("store", "length"), [("postgresql", 63), ("mysql", 64), ("sqlserver", 128)])
def test_a_name_may_be_as_long_as_the_store_lets_it(store, length):
    columns = {**DEFAULT_COLUMNS, "email": "e" * length}
    assert "e" * length in generate.scripts(form(store=store, table="t" * length, columns=columns))["login"]
    with pytest.raises(BadForm) as refused:
        generate.scripts(form(store=store, table="t" * (length + 1)))
    assert f"at most {length} characters" in refused.value.errors["table"]


def test_an_address_that_is_shown_as_a_name_too_stays_the_address_at_sign_up():
    columns = {**DEFAULT_COLUMNS, "name": "email", "username": "email"}
    code = generate.scripts(form(columns=columns))["create"]
    assert '("email", "email_verified", "password_hash")' in code
    assert "String(user.email).toLowerCase()" in code and "user.name" not in code and "user.username" not in code


@pytest.mark.parametrize("store", ["mongodb", "https_api"])
def test_a_record_without_an_id_is_no_user(store):
    """`shop|undefined` would be the user_id of everybody."""
    key = default_columns(store)["user_id"]
    for name in ("login", "get_user"):
        assert f"if (!user.{key}) {{" in generate.scripts(form(store=store))[name]


def test_a_schema_may_stand_before_the_table():
    assert 'FROM "shop"."users"' in generate.scripts(form(table="shop.users"))["login"]
    assert "FROM [shop].[users]" in generate.scripts(form(store="sqlserver", table="shop.users"))["login"]
