"""How a tenant's applications sign in: secrets and key pairs change without an outage, reads and writes are split."""

import threading
import time
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from portal import auth0, credentials, standing, tenants
from portal.auth0 import token_endpoint, tokens
from portal.errors import Invalid, MissingScope, NotConnected
from portal.models import AuditEvent, Tenant

pytestmark = pytest.mark.usefixtures("own_calls")


def form(tenant, **changed):
    """What the edit form posts: no secret, unless it is typed."""
    names = ("name", "slug", "domain", "stage", "position", "client_id", "reader_client_id", "ca_bundle")
    return {name: getattr(tenant, name) for name in names} | {"variables": "{}"} | changed


def pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def register(tenant, public_key: str, client_id: str = "", *, alone: bool = False, **more) -> None:
    """As an administrator does in the dashboard; a client secret is no good from then on. `alone`: other keys go.

    `more`: of the credential.
    """
    client_id = client_id or tenant.client_id
    credential = tenant.api(
        "POST",
        f"/clients/{client_id}/credentials",
        {"credential_type": "public_key", "name": "castellan", "pem": public_key, "alg": "RS256", **more},
    )
    known = tenant.api("GET", f"/clients/{client_id}").get("client_authentication_methods") or {}
    others = [] if alone else known.get("private_key_jwt", {}).get("credentials", [])
    methods = {"private_key_jwt": {"credentials": [*others, {"id": credential["id"]}]}}
    tenant.api(
        "PATCH", f"/clients/{client_id}", {"token_endpoint_auth_method": None, "client_authentication_methods": methods}
    )


@pytest.fixture
def admin(person):
    return person("administrator")


def stored(tenant) -> Tenant:
    return Tenant.objects.get(pk=tenant.pk)


# What is typed


def test_wrong_new_credentials_are_refused_and_the_old_ones_stay(dev, admin):
    answer = admin.post("/tenants/dev/edit/", form(dev, client_secret="wrong"))
    assert answer.status_code == 422
    assert "the old credentials stay in use" in answer.content.decode()
    assert stored(dev).client_secret == dev.client_secret
    assert auth0.request(stored(dev), "GET", "/clients")


def test_secrets_are_never_shown_and_an_empty_field_keeps_them(dev, admin):
    assert dev.client_secret not in admin.get("/tenants/dev/edit/").content.decode()
    assert admin.post("/tenants/dev/edit/", form(dev, name="Renamed")).status_code == 302
    assert (stored(dev).name, stored(dev).client_secret) == ("Renamed", dev.client_secret)
    assert dev.client_secret not in str(AuditEvent.objects.get().__dict__)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"private_key": "-----BEGIN nonsense"}, "This is no private key in PEM"),
        ({"private_key": lambda: pem(ec.generate_private_key(ec.SECP256R1()))}, "RSA keys of 2048 bits or more"),
        ({"private_key": lambda: pem(rsa.generate_private_key(65537, 1024))}, "RSA keys of 2048 bits or more"),  # noqa: S505
        ({"client_secret": "x", "private_key": lambda: pem(rsa.generate_private_key(65537, 2048))}, "not both"),
        ({"ca_bundle": "my certificate"}, "These are no certificates in PEM"),
        ({"reader_client_id": "another"}, "Enter the client secret of the application, or a private key."),
        ({"reader_client_secret": "x"}, "Enter the client id that the reader"),
        ({"client_id": "s" * 64, "client_secret": "x"}, "too long for a client id"),
        ({"reader_client_id": "s" * 64, "reader_client_secret": "x"}, "too long for a client id"),
        ({"domain": "https://acme.eu.auth0.com/"}, "Write the domain alone"),
    ],
)
def test_what_can_not_work_is_said_beside_its_field_and_nothing_is_stored(dev, admin, typed, said):
    given = {name: value() if callable(value) else value for name, value in typed.items()}  # keys take a moment
    answer = admin.post("/tenants/dev/edit/", form(dev, **given))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert stored(dev).updated_at == dev.updated_at


@pytest.mark.parametrize("field", ["client_id", "reader_client_id", "client_secret", "private_key", "ca_bundle"])
def test_what_was_typed_as_a_secret_does_not_come_back_in_the_page_whichever_field_holds_it(dev, admin, field):
    key = pem(rsa.generate_private_key(65537, 2048))
    secret = key if field in ("private_key", "ca_bundle") else "s3cret-of-the-app" * 4
    for wrong in ({}, {"domain": "https://acme.eu.auth0.com/"}):
        answer = admin.post("/tenants/dev/edit/", form(dev, **{field: secret}, **wrong))
        assert answer.status_code == 422
        assert secret.splitlines()[-2:][0] not in answer.content.decode()
    assert "s3cret-of-the-app" not in str([event.__dict__ for event in AuditEvent.objects.all()])


def test_a_secret_takes_the_place_of_a_private_key_and_is_tried_first(dev, admin, sandbox):
    dev.private_key, secret = pem(rsa.generate_private_key(65537, 2048)), dev.client_secret
    dev.client_secret = ""
    dev.save()
    assert admin.post("/tenants/dev/edit/", form(dev, client_secret="wrong")).status_code == 422
    assert stored(dev).private_key
    assert admin.post("/tenants/dev/edit/", form(dev, client_secret=secret)).status_code == 302
    assert (stored(dev).client_secret, stored(dev).private_key) == (secret, "")
    assert auth0.request(stored(dev), "GET", "/clients")


# Key pairs


def test_a_key_pair_takes_over_only_after_it_has_worked(dev, admin, sandbox):
    admin.post("/tenants/dev/keys/writer/")
    public = credentials.public_half(stored(dev).pending_private_key)
    page = admin.get("/tenants/dev/").content.decode()
    assert public.strip().splitlines()[1] in page
    said = admin.post("/tenants/dev/keys/writer/use/", follow=True).content.decode()
    assert "Not saved, the old credentials stay in use." in said
    assert "does not take the private key of application" in said
    assert (stored(dev).client_secret, stored(dev).private_key) == (dev.client_secret, "")
    assert auth0.request(stored(dev), "GET", "/clients")

    register(sandbox.tenant("dev"), public)
    said = admin.post("/tenants/dev/keys/writer/use/", follow=True).content.decode()
    assert "is signed in to with the new key from now on" in said
    assert "Public key in use" in said
    now = stored(dev)
    assert (bool(now.private_key), now.client_secret, now.pending_private_key) == (True, "", "")
    assert auth0.request(now, "GET", "/clients")
    assert standing.of(now).applications[0].signs_in_with == "private key JWT"
    assert "PRIVATE KEY" not in str([event.__dict__ for event in AuditEvent.objects.all()]) + page + said


def test_the_old_key_goes_on_while_the_new_one_waits_and_can_go_when_the_new_one_is_in_use(dev, admin, sandbox):
    register(sandbox.tenant("dev"), credentials.generate_key(dev, actor=admin.user))
    credentials.use_new_key(stored(dev), actor=admin.user)
    second = credentials.generate_key(stored(dev), actor=admin.user)
    auth0.forget(stored(dev))
    assert auth0.request(stored(dev), "GET", "/clients")
    with pytest.raises(Invalid, match="old credentials stay in use"):
        credentials.use_new_key(stored(dev), actor=admin.user)
    auth0.forget(stored(dev))
    assert auth0.request(stored(dev), "GET", "/clients")

    register(sandbox.tenant("dev"), second, alone=True)
    credentials.use_new_key(stored(dev), actor=admin.user)
    auth0.forget(stored(dev))
    assert auth0.request(stored(dev), "GET", "/clients")
    assert credentials.public_half(stored(dev).private_key) == second


def test_a_key_that_waits_can_be_thrown_away(dev, admin):
    admin.post("/tenants/dev/keys/writer/")
    admin.post("/tenants/dev/keys/writer/discard/")
    assert stored(dev).pending_private_key == ""
    with pytest.raises(Invalid, match="There is no new key"):
        credentials.use_new_key(stored(dev), actor=admin.user)
    assert admin.post("/tenants/dev/keys/nobody/").status_code == 404


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>A proxy's page</html>"), "What answers at .* is no Auth0 tenant"),
        (httpx.Response(200, json=["x"]), "What answers at .* is no Auth0 tenant"),
        (httpx.Response(200, json={"token": "x"}), "What answers at .* is no Auth0 tenant"),
        (httpx.Response(301, headers={"location": "https://elsewhere.example/"}), r"status 301\). Check its domain"),
    ],
)
def test_what_is_no_tenant_is_told_as_such(dev, monkeypatch, answer, said):
    at_the_wire = partial(httpx.Client, transport=httpx.MockTransport(lambda request: answer))
    monkeypatch.setattr(httpx, "Client", at_the_wire)
    with pytest.raises(NotConnected, match=said):
        tokens.fetch(dev)


def test_a_key_that_has_expired_is_refused_with_the_way_out(dev, admin, sandbox, capsys):
    local = sandbox.tenant("dev")
    soon = (timezone.now() + timedelta(seconds=20)).isoformat().replace("+00:00", "Z")
    register(local, credentials.generate_key(dev, actor=admin.user), expires_at=soon)
    credentials.use_new_key(stored(dev), actor=admin.user)
    local.advance_clock(30)
    with pytest.raises(NotConnected, match="or a new one where it has expired"):
        tokens.fetch(stored(dev))
    with pytest.raises(CommandError):
        call_command("doctor", "--tenant", "dev")
    assert "a new one where it has expired" in " ".join(capsys.readouterr().out.split())


def test_a_clock_that_is_wrong_is_named_where_a_key_is_refused(dev, admin, sandbox, monkeypatch):
    register(sandbox.tenant("dev"), credentials.generate_key(dev, actor=admin.user))
    credentials.use_new_key(stored(dev), actor=admin.user)
    for minutes, words in ((60, r"36\d\d seconds ahead of"), (-60, r"3[56]\d\d seconds behind")):
        off = SimpleNamespace(time=lambda minutes=minutes: time.time() + minutes * 60)
        with monkeypatch.context() as patched:
            patched.setattr(token_endpoint, "time", off)
            with pytest.raises(NotConnected, match=f"Dev says: .*This machine's clock is {words} that of Dev"):
                tokens.fetch(stored(dev))
    assert tokens.fetch(stored(dev))


# Without an outage


def test_work_that_began_before_a_rotation_goes_on_when_its_token_ends(dev, admin, sandbox):
    before = stored(dev)
    register(sandbox.tenant("dev"), credentials.generate_key(dev, actor=admin.user))
    credentials.use_new_key(stored(dev), actor=admin.user)
    assert auth0.request(before, "GET", "/clients"), "with the token that it has"
    tokens.forget(before)
    assert auth0.request(before, "GET", "/clients"), "with the new credentials"


def test_credentials_that_are_wrong_and_were_not_replaced_stay_refused(dev):
    dev.client_secret = "wrong"
    dev.save()
    with pytest.raises(NotConnected, match="client id or its secret is wrong"):
        auth0.request(stored(dev), "GET", "/clients")


@pytest.mark.django_db(transaction=True)
def test_calls_that_are_under_way_while_credentials_are_rotated_all_go_through(dev, admin, sandbox):
    tokens.current(dev)
    sandbox.tenant("dev").conditions(latency_ms=30)
    answered, refused, done = [], [], threading.Event()

    def call() -> None:
        mine = Tenant.objects.get(pk=dev.pk)
        while not done.is_set():
            try:
                answered.append(len(auth0.request(mine, "GET", "/clients", params={"per_page": 1})))
            except Exception as error:
                refused.append(error)
        connection.close()

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    register(sandbox.tenant("dev"), credentials.generate_key(stored(dev), actor=admin.user))
    credentials.use_new_key(stored(dev), actor=admin.user)
    auth0.forget(dev)
    before, deadline = len(answered), time.monotonic() + 10
    while len(answered) < before + 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    done.set()
    for caller in callers:
        caller.join()
    assert refused == []
    assert len(answered) >= before + 6


# Two applications


@pytest.fixture
def reader(dev, sandbox, admin):
    """A second application, with a few read scopes, through which the dev tenant is read."""
    tenant = sandbox.tenant("dev")
    made = tenant.api(
        "POST", "/clients", {"name": "Reader", "app_type": "non_interactive", "grant_types": ["client_credentials"]}
    )
    body = {"client_id": made["client_id"], "audience": dev.audience, "scope": ["read:users", "read:guardian_factors"]}
    tenant.api("POST", "/client-grants", body)
    typed = {"reader_client_id": made["client_id"], "reader_client_secret": made["client_secret"]}
    assert admin.post("/tenants/dev/edit/", form(dev, **typed)).status_code == 302
    return made


def test_reads_use_the_reading_application_where_there_is_one(dev, reader):
    split = stored(dev)
    assert tokens.current(split, tokens.credentials(split, writing=False)).scopes == {
        "read:users",
        "read:guardian_factors",
    }
    assert auth0.request(split, "GET", "/users", params={"per_page": 1})
    with pytest.raises(MissingScope):
        auth0.request(split, "GET", "/clients")
    assert auth0.request(split, "POST", "/roles", json={"name": "written by the writer"})


def test_the_page_tells_for_each_application_what_it_lacks(dev, reader, grant):
    grant({"update:users", "read:actions"})
    reads, writes = standing.of(stored(dev)).applications
    assert reads.client_id == reader["client_id"]
    assert "read:logs" in reads.lacking
    assert not [scope for scope in reads.lacking if not scope.startswith("read:")]
    assert "create:user_tickets" in writes.lacking
    assert "read:logs" not in writes.lacking
    assert "read:clients" in writes.lacking, "promotions read and write by one token"


def test_a_snapshot_is_read_by_the_reading_application(dev, reader, grant, tmp_path):
    from deployments.engines import deploy_cli

    grant({"update:users"})
    told = []
    deploy_cli.run(stored(dev), deploy_cli.Job("export", tmp_path, ["guardianFactors"]), on_event=told.append)
    assert {event["status"] for event in told if event["ev"] == "http"} == {200}


def test_the_reading_application_has_a_key_pair_of_its_own(dev, reader, admin, sandbox):
    admin.post("/tenants/dev/keys/reader/")
    register(
        sandbox.tenant("dev"), credentials.public_half(stored(dev).pending_reader_private_key), reader["client_id"]
    )
    said = admin.post("/tenants/dev/keys/reader/use/", follow=True).content.decode()
    assert "Credentials of the reading application" in said
    now = stored(dev)
    assert (bool(now.reader_private_key), now.reader_client_secret) == (True, "")
    assert now.client_secret == dev.client_secret
    tokens.forget(now)
    assert auth0.request(now, "GET", "/users", params={"per_page": 1})


def test_without_a_reading_application_its_secret_is_forgotten(dev, reader, admin):
    admin.post("/tenants/dev/edit/", form(stored(dev), reader_client_id=""))
    assert stored(dev).reader_client_secret == ""
    assert auth0.request(stored(dev), "GET", "/clients")


def test_a_promotion_needs_its_reads_at_the_application_that_writes(dev, reader, grant):
    grant({"update:clients"})
    assert "read:clients" in tenants.missing_scopes(stored(dev), "promotions.apply", ("read:clients", "update:clients"))
