"""Jobs: imports with their formats, limits and errors; exports; verification e-mails."""

from __future__ import annotations

import csv
import gzip
import hashlib
import hmac
import io
import json
import time
from base64 import b64encode
from typing import Any

import argon2
import bcrypt
import pytest

from tests.sandbox.password_grant import CUSTOMERS, signs_in
from tests.waiting import until


@pytest.fixture
def dev(sandbox: Any) -> Any:
    return sandbox.tenant("dev")


def start(tenant: Any, users: Any, *, raw: bytes | None = None, **fields: str) -> Any:
    """The answer to an upload of users."""
    content = json.dumps(users).encode() if raw is None else raw
    form = {"connection_id": tenant.named("connections", CUSTOMERS)["id"], **fields}
    files = {"users": ("users.json", content, "application/json")}
    return tenant.http.post("/api/v2/jobs/users-imports", data=form, files=files, headers=tenant.authorization())


def ended(tenant: Any, id: str) -> dict[str, Any]:
    """The job, once it is no longer pending."""

    def job() -> Any:
        asked = tenant.api("GET", f"/jobs/{id}")
        return asked if asked["status"] not in ("pending", "processing") else None

    return dict(until(job, what="the end of the job"))


def imported(tenant: Any, users: Any, **fields: str) -> tuple[dict[str, Any], Any]:
    """The ended job and its errors."""
    answer = start(tenant, users, **fields)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "pending"
    job = ended(tenant, answer.json()["id"])
    return job, tenant.api("GET", f"/jobs/{job['id']}/errors")


def test_users_are_imported_with_profile_metadata_and_factors(dev: Any) -> None:
    people = [
        {
            "email": "Imported.One@postbox.example",
            "user_id": "import-1",
            "given_name": "Ida",
            "email_verified": True,
            "app_metadata": {"plan": "gold"},
            "mfa_factors": [{"totp": {"secret": "JBSWY3DPEHPK3PXP"}}, {"phone": {"value": "+15551234567"}}],
        },
        {"email": "two@postbox.example", "blocked": True},
    ]
    job, errors = imported(dev, people, external_id="batch 7")
    assert job["summary"] == {"failed": 0, "updated": 0, "inserted": 2, "total": 2}
    assert job["external_id"] == "batch 7"
    assert errors is None
    user = dev.user("imported.one@postbox.example")
    assert user["user_id"] == "auth0|import-1"
    assert (user["given_name"], user["email_verified"], user["app_metadata"]) == ("Ida", True, {"plan": "gold"})
    assert {phone["type"] for phone in dev.phones(email="imported.one@postbox.example")} == {"totp", "phone"}
    assert dev.user("two@postbox.example")["email_verified"] is False
    assert [mail["template"] for mail in dev.mail()] == ["users_import"]


def test_no_completion_mail_where_none_is_wanted(dev: Any) -> None:
    imported(dev, [{"email": "a@postbox.example"}], send_completion_email="false")
    assert dev.mail() == []


def hashes_of(password: str) -> dict[str, Any]:
    """algorithm -> what an import says of the hash that another system has made with it."""
    from sandbox.md4 import md4

    raw, salt = password.encode(), b"salt and more"
    derived = hashlib.pbkdf2_hmac("sha256", raw, salt, 1000, 32)
    mac = hmac.new(b"key", raw, "sha512").hexdigest()
    slow = hashlib.scrypt(raw, salt=salt, n=1024, r=8, p=1, dklen=32)
    ldap = hashlib.sha1(raw + b"1234", usedforsecurity=False).digest() + b"1234"
    plain_salt, plain_derived = (b64encode(part).decode().rstrip("=") for part in (salt, derived))
    spoken_salt = {"value": salt.decode(), "encoding": "utf8"}
    return {
        "bcrypt": {"hash": {"value": bcrypt.hashpw(raw, bcrypt.gensalt(4)).decode()}},
        "argon2": {"hash": {"value": argon2.PasswordHasher(time_cost=1, memory_cost=64).hash(password)}},
        "pbkdf2": {"hash": {"value": f"$pbkdf2-sha256$i=1000,l=32${plain_salt}${plain_derived}"}},
        "sha256": {
            "hash": {"value": hashlib.sha256(salt + raw).hexdigest(), "encoding": "hex"},
            "salt": {**spoken_salt, "position": "prefix"},
        },
        "md5": {"hash": {"value": hashlib.md5(raw, usedforsecurity=False).hexdigest()}},
        "md4": {"hash": {"value": md4(raw).hex()}},
        "hmac": {"hash": {"value": mac, "encoding": "hex", "digest": "sha512", "key": {"value": "key"}}},
        "ldap": {"hash": {"value": "{SSHA}" + b64encode(ldap).decode()}},
        "scrypt": {
            "hash": {"value": slow.hex(), "encoding": "hex"},
            "salt": spoken_salt,
            "cost": 1024,
            "keylen": 32,
        },
    }


def test_passwords_of_other_systems_still_sign_in(dev: Any) -> None:
    password = "Imported-demo-1"
    hashes = hashes_of(password)
    people: list[Any] = [
        {"email": f"{name}@postbox.example", "custom_password_hash": {"algorithm": name, **described}}
        for name, described in hashes.items()
    ]
    stored = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, b"2a")).decode()
    people.append({"email": "plain@postbox.example", "password_hash": stored})
    job, errors = imported(dev, people)
    assert errors is None, errors
    for name in [*hashes, "plain"]:
        assert signs_in(dev, f"{name}@postbox.example", password), name
        assert not signs_in(dev, f"{name}@postbox.example", "Wrong-demo-1"), name


def test_md4_is_the_one_of_rfc_1320() -> None:
    from sandbox.md4 import md4

    known = {
        b"": "31d6cfe0d16ae931b73c59d7e0c089c0",
        b"abc": "a448017aaf21d8525fc10ae87aa6729d",
        b"1234567890" * 8: "e33b4ddc9c38f2199c3e7b164fcc0536",
    }
    assert {data: md4(data).hex() for data in known} == known


def test_who_can_not_be_imported_is_reported_and_the_others_are_made(dev: Any) -> None:
    people = [
        {"email": "good@postbox.example"},
        {"email": "no address"},
        {"given_name": "Nobody"},
        {"email": "x@postbox.example", "blocked": "yes"},
        {"email": "y@postbox.example", "favourite": "red"},
        {"email": "z@postbox.example", "password_hash": "plain"},
        {"email": "w@postbox.example", "custom_password_hash": {"algorithm": "rot13", "hash": {"value": "x"}}},
        {"email": "v@postbox.example", "mfa_factors": [{"duo": {}}]},
        {"email": "good@postbox.example"},
        "text",
    ]
    job, errors = imported(dev, people)
    assert job["status"] == "completed"
    assert job["summary"] == {"failed": 9, "updated": 0, "inserted": 1, "total": 10}
    codes = [[problem["code"] for problem in entry["errors"]] for entry in errors]
    assert codes == [
        ["INVALID_FORMAT"],
        ["OBJECT_REQUIRED"],
        ["INVALID_TYPE"],
        ["OBJECT_ADDITIONAL_PROPERTIES"],
        ["PATTERN"],
        ["ENUM_MISMATCH"],
        ["NOT_PASSED"],
        ["DUPLICATED_USER"],
        ["INVALID_TYPE"],
    ]
    assert errors[4]["user"]["password_hash"] == "*****"


def test_an_upsert_changes_who_is_there_and_replaces_metadata(dev: Any) -> None:
    imported(dev, [{"email": "a@postbox.example", "user_metadata": {"x": 1, "y": 2}}])
    job, _ = imported(dev, [{"email": "a@postbox.example", "name": "New", "user_metadata": {"y": 3}}], upsert="true")
    assert job["summary"] == {"failed": 0, "updated": 1, "inserted": 0, "total": 1}
    user = dev.user("a@postbox.example")
    assert (user["name"], user["user_metadata"]) == ("New", {"y": 3})


@pytest.mark.parametrize("raw", [b"{", b'{"email": "a@x.example"}', b"\xff\xfe", b'{"a":1}\n{"b":2}'])
def test_a_file_that_is_no_json_array_fails_the_job(dev: Any, raw: bytes) -> None:
    job = ended(dev, start(dev, None, raw=raw).json()["id"])
    assert job["status"] == "failed"
    assert "valid JSON" in job["status_details"]
    assert dev.api("GET", f"/jobs/{job['id']}/errors")["status"] == "failed"


def test_uploads_that_can_not_be_are_refused_at_once(dev: Any) -> None:
    large = json.dumps([{"email": "a@x.example", "name": "x" * 512_000}]).encode()
    assert start(dev, None, raw=large).status_code == 413
    headers = dev.authorization()
    path = "/api/v2/jobs/users-imports"
    assert dev.http.post(path, json=[], headers=headers).status_code == 415
    assert dev.http.post(path, data={"connection_id": "x"}, files={"a": b"b"}, headers=headers).status_code == 400
    assert start(dev, [], connection_id="con_0000000000000000").status_code == 400
    assert start(dev, [], connection_id=dev.named("connections", "google-oauth2")["id"]).status_code == 400
    broken = {"Content-Type": "multipart/form-data; boundary=x", **headers}
    assert dev.http.post(path, content=b"--x\r\nnonsense", headers=broken).status_code == 400
    assert (
        dev.http.post(path, content=b"", headers={"Content-Type": "multipart/form-data", **headers}).status_code == 400
    )


def test_a_third_import_must_wait(dev: Any) -> None:
    answers = [start(dev, [{"email": f"p{n}-{i}@x.example"} for i in range(300)]) for n in range(4)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:2] == [202, 202]
    assert 429 in statuses[2:]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "active import users jobs" in refused.json()["message"]
    for answer in answers[:2]:
        ended(dev, answer.json()["id"])


def exported(dev: Any, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    job = ended(dev, dev.api("POST", "/jobs/users-exports", body)["id"])
    assert job["status"] == "completed"
    return job, gzip.decompress(dev.http.get(job["location"]).content).decode()


def test_an_export_is_one_json_object_per_line(dev: Any) -> None:
    connection = dev.named("connections", "legacy-store")
    fields = [{"name": "email"}, {"name": "identities[0].connection", "export_as": "store"}]
    _, text = exported(dev, {"connection_id": connection["id"], "format": "json", "fields": fields})
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 25
    assert set(rows[0]) == {"email", "store"}
    assert rows[0]["store"] == "legacy-store"
    _, text = exported(dev, {"limit": 7, "fields": [{"name": "_password"}, {"name": "user_id"}]})
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 7
    assert set(rows[0]) == {"user_id"}


def test_an_export_as_csv_has_a_header_and_quotes_what_needs_it(dev: Any) -> None:
    fields = [{"name": "email", "export_as": "Mail"}, {"name": "user_metadata.town"}, {"name": "name"}]
    _, text = exported(dev, {"format": "csv", "limit": 3000, "fields": fields})
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Mail", "user_metadata.town", "name"]
    assert len(rows) == 3001
    assert {len(row) for row in rows} == {3}


def test_a_csv_export_has_at_most_thirty_fields(dev: Any) -> None:
    fields = [{"name": f"user_metadata.f{n}"} for n in range(31)]
    for body, status in (
        ({"format": "csv", "fields": fields}, 400),
        ({"format": "csv", "fields": fields[:30]}, 200),
        ({"format": "json", "fields": fields}, 200),
    ):
        answer = dev.http.post("/api/v2/jobs/users-exports", json=body, headers=dev.authorization())
        assert answer.status_code == status, answer.text


def test_the_link_of_an_export_lives_for_a_minute(dev: Any) -> None:
    job, _ = exported(dev, {"limit": 1})
    assert dev.http.get(job["location"]).status_code == 200
    dev.advance_clock(61)
    assert dev.http.get(job["location"]).status_code == 403
    fresh = dev.api("GET", f"/jobs/{job['id']}")["location"]
    assert dev.http.get(fresh).status_code == 200


def test_a_job_and_its_file_are_kept_for_a_day(dev: Any) -> None:
    job, _ = exported(dev, {"limit": 1})
    for seconds, status in ((86_000, 200), (401, 404)):
        dev.advance_clock(seconds)
        fresh = {"Authorization": f"Bearer {dev.token()}"}
        assert dev.http.get(f"/api/v2/jobs/{job['id']}", headers=fresh).status_code == status


def test_a_free_plan_has_no_exports(dev: Any) -> None:
    headers = dev.authorization()
    dev.conditions(plan="free")
    answer = dev.http.post("/api/v2/jobs/users-exports", json={}, headers=headers)
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "insufficient_entitlement")


def test_a_reset_stops_an_import_halfway(dev: Any) -> None:
    people = [{"email": f"late-{number}@postbox.example"} for number in range(5000)]
    id = start(dev, people).json()["id"]
    until(lambda: dev.api("GET", f"/jobs/{id}")["status"] != "pending", what="the begin of the job")
    assert dev.api("GET", f"/jobs/{id}")["status"] == "processing"
    dev.control("POST", "reset")
    time.sleep(0.1)
    assert dev.api("GET", "/users", q="email:late-*") == []


def test_a_verification_mail_is_a_job(dev: Any) -> None:
    user = dev.user("helpdesk@larkspur.example")
    job = dev.api("POST", "/jobs/verification-email", {"user_id": user["user_id"]})
    assert (job["type"], job["status"]) == ("verification_email", "pending")
    assert ended(dev, job["id"])["status"] == "completed"
    assert len(dev.mail(to="helpdesk@larkspur.example")) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user_id": "auth0|nobody"}, 404),
        ({}, 400),
        ({"client_id": "nothing"}, 404),
        ({"identity": {"user_id": "x", "provider": "auth0"}}, 400),
    ],
)
def test_a_verification_mail_to_nowhere_is_refused(dev: Any, body: dict[str, Any], status: int) -> None:
    if body and "user_id" not in body:
        body = {"user_id": dev.user("helpdesk@larkspur.example")["user_id"], **body}
    path = "/api/v2/jobs/verification-email"
    assert dev.http.post(path, json=body, headers=dev.authorization()).status_code == status
    assert dev.mail() == []


def test_an_unknown_job_is_a_404(dev: Any) -> None:
    for path in ("/jobs/job_nothing", "/jobs/job_nothing/errors"):
        assert dev.http.get(f"/api/v2{path}", headers=dev.authorization()).status_code == 404
