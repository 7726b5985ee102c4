"""Nothing secret leaves through a log, a row or a page."""

import logging
import sys

import pytest
from django.views.debug import technical_500_response

from portal.redaction import MASK, LogFilter, clean, is_secret, mask

SECRETS = [
    "client_secret",
    "password",
    "newPassword",
    "access_token",
    "refresh_token",
    "private_key",
    "api_key",
    "ticket",
    "pem",
]
PLAIN = [
    "token_endpoint_auth_method",
    "password_policy",
    "client_id",
    "token_lifetime",
    "email",
    "passwordPolicy",
    "reset",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_value_under_a_secret_name_is_masked(name: str):
    assert mask({"a": [{name: "s3cret"}]}) == {"a": [{name: MASK}]}


@pytest.mark.parametrize("name", PLAIN)
def test_names_that_only_look_secret_are_shown(name: str):
    assert not is_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cret.s3cret.s3cret",
        "grant_type=client_credentials&client_secret=s3cret-s3cret",
        '{"password": "s3cret-s3cret"}',
        "postgres://castellan:s3cret@db.example/portal",
        "redis://:s3cret@valkey.example:6379/0",
        "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----",
        "see https://acme.auth0.com/u/reset-verify?ticket=s3cret#",
    ],
)
def test_secrets_in_free_text_are_masked(text: str):
    assert "s3cret" not in clean(text)


def test_the_page_of_an_unexpected_error_masks_what_was_sent_and_what_the_code_held(rf, settings):
    secret = "-".join(["s3cret"] * 2)  # the page shows lines of this file
    settings.REDIS_URL, settings.DEBUG = f"redis://:{secret}@valkey.example:6379", True
    request = rf.post("/tenants/dev/edit/", {"client_secret": secret, "name": "Shown"})

    def fails(password: str) -> None:
        body, sent = {"client_secret": password}, f'{{"password": "{password}"}}'.encode()
        raise RuntimeError(len(body) + len(sent))

    try:
        fails(secret)
    except RuntimeError:
        html = technical_500_response(request, *sys.exc_info()).content.decode()
    assert "Shown" in html
    assert "client_secret" in html
    assert secret not in html


def test_log_lines_and_tracebacks_are_cleaned():
    try:
        raise ValueError("client_secret=s3cret-s3cret")
    except ValueError:
        record = logging.getLogger("x").makeRecord(
            "x", logging.ERROR, __file__, 1, "sent %s", ("Bearer s3cret-s3cret",), __import__("sys").exc_info()
        )
    LogFilter().filter(record)
    assert "s3cret" not in logging.Formatter("%(message)s").format(record)
