"""The policy pages as people with different rights meet them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from identity.mfa.models import Policy

pytestmark = pytest.mark.django_db(transaction=True)


def fields(**changed: Any) -> dict[str, Any]:
    """The editor's form, filled in."""
    return {
        "name": "Partners",
        "rules": "1",
        "revision": "0",
        "rule-0-domains": "harbourline.example",
        "rule-0-factors": ["otp"],
        "missing_email": "ask",
        "unverified_email": "enrol",
        "password_grant": "ask",
        "act": "save",
        **changed,
    }


@pytest.fixture
def security(tenants: Any, person: Any) -> Client:
    return person("security")  # type: ignore[no-any-return]


@pytest.fixture
def stored(security: Client) -> Policy:
    answer = security.post("/t/dev/mfa-policies/new/", fields())
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return Policy.objects.get()


def test_pages_open(security: Client, stored: Policy) -> None:
    for path in ("", "state/", "new/", f"{stored.pk}/", f"{stored.pk}/edit/", f"{stored.pk}/publish/", "remove/"):
        answer = security.get(f"/t/dev/mfa-policies/{path}")
        assert answer.status_code == 200, (path, answer.content.decode()[:2000])
