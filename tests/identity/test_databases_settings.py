"""Settings of database scripts: values go in and never come out."""

from __future__ import annotations

from typing import Any

import pytest

from identity.databases.models import ConfigurationValue
from portal.models import AuditEvent
from tests.identity.database_line import draft, form_fields, text

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/t/dev/databases/"
PAGES = ["", "{id}/", "{id}/edit/", "{id}/settings/", "{id}/tests/", "{id}/checklist/", "{id}/compare/",
         "{id}/checklist.md", "{id}/checklist.html"]  # fmt: skip


def test_a_setting_goes_in_and_never_comes_out(writer: Any, found: Any, caplog: Any) -> None:
    url, secret = f"{BASE}{found.id}/settings/", "postgresql://scripts:Quite-Secret-7@db.example:5432/shop"
    answer = writer.post(url, {"name": "DATABASE_URL", "value": secret}, follow=True)
    assert "DATABASE_URL is stored" in text(answer)
    assert ConfigurationValue.objects.get().value == secret
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM identity_configurationvalue")
        assert "Quite-Secret-7" not in cursor.fetchone()[0]
    seen = [answer, *(writer.get(BASE + path.format(id=found.id)) for path in PAGES)]
    assert not [page for page in seen if "Quite-Secret-7" in page.content.decode()]
    events = [f"{event.before} {event.after} {event.detail}" for event in AuditEvent.objects.all()]
    assert "Quite-Secret-7" not in " ".join(events) + caplog.text


@pytest.mark.parametrize("name", ["", "1ST", "A-B", "A B", "x" * 101])
def test_a_setting_with_an_odd_name_is_refused_and_its_value_not_shown(writer: Any, found: Any, name: str) -> None:
    answer = writer.post(f"{BASE}{found.id}/settings/", {"name": name, "value": "Quite-Secret-7"})
    assert answer.status_code == 422
    assert "Quite-Secret-7" not in answer.content.decode()
    assert not ConfigurationValue.objects.exists()


def test_a_setting_is_not_written_into_the_page_that_offers_to_try_again(writer: Any, found: Any, sandbox: Any) -> None:
    faults = [{"method": "GET", "path": "/api/v2/connections/*", "status": 503, "times": 9}]
    sandbox.tenant("dev").conditions(faults=faults)
    for path, given in (("settings/", {"name": "KEY", "value": "Hidden-1"}), ("tests/", form_fields(dsn="Hidden-1"))):
        answer = writer.post(f"{BASE}{found.id}/{path}", given)
        assert answer.status_code == 503
        assert "Hidden-1" not in answer.content.decode()


def test_a_removal_can_be_taken_back_without_entering_the_value_again(writer: Any, found: Any) -> None:
    url = f"{BASE}{found.id}/settings/"
    writer.post(url, {"name": "KEY", "value": "Quite-Secret-7"})
    for name in ("KEY", "STORE_NAME"):
        assert "To be removed" in text(writer.post(url, {"remove": name}, follow=True))
        assert "To be removed" not in text(writer.post(url, {"keep": name}, follow=True))
    kept = ConfigurationValue.objects.get()
    assert (kept.name, kept.value, kept.removed) == ("KEY", "Quite-Secret-7", False)


def test_a_setting_that_scripts_read_and_nobody_entered_is_said_to_be_missing(writer: Any, found: Any) -> None:
    draft(found, actor=writer.user)
    assert "DATABASE_URL Missing Scripts read it." in text(writer.get(f"{BASE}{found.id}/settings/"))
