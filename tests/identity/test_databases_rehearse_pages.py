"""The pages of rehearsals: what they tell, and that no password comes back with them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User

from identity.databases import rehearse
from identity.databases.models import DatabaseRehearsal
from identity.databases.rehearsal_report import Row, as_csv
from portal.errors import Refused
from tests.identity.database_line import live, text
from tests.identity.rehearsing import state, users

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_list_of_who_could_not_move_is_a_file(eager: None, with_script: Any, person: Any) -> None:
    someone, found = person("database-owner"), with_script()
    typed = "\n".join(",".join(one) for one in users("ann", "old", "ghost"))
    answer = someone.post(f"/t/dev/databases/{found.id}/rehearse/", {"users": typed}, follow=True)
    page = text(answer)
    assert "Not everybody can move." in page
    assert page.index("old@ferry.example") < page.index("ann@ferry.example")
    rehearsal = DatabaseRehearsal.objects.get()
    file = someone.get(f"{rehearsal.get_absolute_url()}could-not-move.csv")
    assert file.headers["Content-Disposition"].startswith('attachment; filename="could-not-move-dev-ferry-')
    table = list(csv.reader(io.StringIO(file.content.decode())))
    assert [row[:2] for row in table] == [
        ["user", "result"], ["old@ferry.example", "Unknown hash"], ["ghost@ferry.example", "Unknown user"],
    ]  # fmt: skip
    assert "Rehearse the migration" in text(someone.get(f"/t/dev/databases/{found.id}/rehearse/"))
    assert person("auditor").get(rehearsal.get_absolute_url()).status_code == 403


def test_a_sample_of_which_nobody_can_move_is_told_as_that(eager: None, with_script: Any, person: Any) -> None:
    url = f"/t/dev/databases/{with_script().id}/rehearse/"
    page = text(person("database-owner").post(url, {"users": "ghost@ferry.example,x"}, follow=True))
    assert "Nobody can move." in page, page


def test_a_spreadsheet_takes_nothing_in_the_file_for_a_formula() -> None:
    [_, row] = csv.reader(io.StringIO(as_csv([Row("=HYPERLINK(1)", "failed", "+1", "-x")])))
    assert row[:4] == ["'=HYPERLINK(1)", "Failed", "'+1", "'-x"]


@pytest.mark.parametrize(("name", "says"), [("ann", "Signed in"), ("old", "Unknown hash"), ("ghost", "Unknown user")])
def test_one_user_signs_in_with_the_live_scripts(
    person: Any, local: Any, with_script: Any, name: str, says: str
) -> None:
    found = with_script()
    clients = state(local)["clients"]
    [(identifier, password)] = users(name)
    url = f"/t/dev/databases/{found.id}/rehearse/"
    page = text(person("database-owner").post(url, {"identifier": identifier, "password": password}))
    assert f"{says} {identifier}" in page
    assert password not in page
    assert state(local)["clients"] == clients


def test_only_a_local_tenant_is_rehearsed_on_and_only_with_a_script(
    local: Any, with_script: Any, tenants: Any, owner: User
) -> None:
    found = with_script()
    own = live(tenants["dev"], local, "Username-Password-Authentication")
    with pytest.raises(Refused, match="has no login script"):
        rehearse.request(own, users("ann"), actor=owner)
    found.tenant.domain = "larkspur.eu.auth0.com"
    with pytest.raises(Refused, match="is not a local tenant"):
        rehearse.request(found, users("ann"), actor=owner)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "required"),
        ("ann@ferry.example", "Line 1: write"),
        ("a@b.example,x\n,y", "Line 2: write"),
        ("a@b.example,x\n\nA@b.example,y", "Line 3: this user stands in the sample already"),
        ("\n".join(f"u{number}@b.example,x" for number in range(51)), "The sample has 51 users"),
    ],
)
def test_a_sample_that_can_not_be_read_names_the_line(person: Any, with_script: Any, typed: str, says: str) -> None:
    found = with_script()
    answer = person("database-owner").post(f"/t/dev/databases/{found.id}/rehearse/", {"users": typed})
    assert answer.status_code == 422
    assert says in text(answer)
    assert not DatabaseRehearsal.objects.exists()


def test_a_sample_that_is_refused_comes_back_without_its_passwords(person: Any, with_script: Any) -> None:
    typed = "ann@ferry.example,Hidden-1\r\nbob@ferry.example;Hidden-2\r\n,Hidden-3"
    answer = person("database-owner").post(f"/t/dev/databases/{with_script().id}/rehearse/", {"users": typed})
    assert "Hidden" not in answer.content.decode()
    assert ">\nann@ferry.example,\n\n,</textarea>" in answer.content.decode()


def test_a_sample_is_not_written_into_the_page_that_offers_to_try_again(
    person: Any, local: Any, with_script: Any
) -> None:
    url = f"/t/dev/databases/{with_script().id}/rehearse/"
    someone = person("database-owner")
    local.conditions(faults=[{"method": "GET", "path": "/api/v2/connections/*", "status": 503, "times": 9}])
    answer = someone.post(url, {"users": "ann@ferry.example,Hidden-1"})
    assert answer.status_code == 503
    assert "Hidden-1" not in answer.content.decode()
    assert "your browser still holds what you typed" in text(answer)


def test_a_password_may_hold_commas_and_quotes() -> None:
    assert rehearse.sample('ann@ferry.example,"a,b\nbob@ferry.example, x') == [
        ("ann@ferry.example", '"a,b'),
        ("bob@ferry.example", " x"),
    ]
