"""The demo company: the same at each start, whole, and with differences between its tenants worth promoting."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from runtime import scripts
from sandbox import passwords, seed, users
from sandbox.seed import people
from sandbox.tenant import Tenant


def made(name: str) -> Tenant:
    tenant = Tenant(name, 9443, 9483, "machine", "secret")
    users.prepare(tenant)
    seed.apply(tenant, "demo")
    return tenant


@pytest.fixture(scope="module")
def tenants() -> dict[str, Tenant]:
    return {name: made(name) for name in ("dev", "staging", "prod")}


def names(tenant: Tenant, kind: str, field: str = "name") -> set[str]:
    return {document[field] for document in tenant.store.all(kind)}


def test_about_five_thousand_people_live_in_dev_and_prod(tenants: dict[str, Tenant]) -> None:
    for name in ("dev", "prod"):
        found = list(tenants[name].store.all("users"))
        assert 4800 < len(found) < 5300
        assert len({user["user_id"] for user in found}) == len(found)
        connections = Counter(user["identities"][0]["connection"] for user in found)
        assert set(connections) == {people.STAFF_CONNECTION, people.CUSTOMERS, people.LEGACY, people.GOOGLE}
        assert sum(bool(user.get("blocked")) for user in found) > 20
        assert sum(not user["email_verified"] for user in found) > 100
        assert sum("last_login" not in user for user in found) > 300
        assert len({user["name"] for user in found}) > 4000


def test_the_staff_can_sign_in_and_have_their_roles(tenants: dict[str, Tenant]) -> None:
    from sandbox.users import memberships, records

    for tenant in tenants.values():
        for local, (_, roles) in people.STAFF.items():
            user = records.find_by_identifier(tenant, f"{local}@larkspur.example", people.STAFF_CONNECTION)
            assert user is not None
            assert passwords.check(user["_password"], people.STAFF_PASSWORD)
            held = [r["name"] for r in memberships.roles_of(tenant, user["user_id"])]
            assert sorted(held) == sorted(f"castellan-{role}" for role in roles)
            assert tenant.store.find("authentication_methods", user_id=user["user_id"]) == []


def test_it_is_the_same_company_at_each_start(tenants: dict[str, Tenant]) -> None:
    again = made("staging")
    first, second = tenants["staging"].store, again.store
    assert [u["user_id"] for u in first.all("users")] == [u["user_id"] for u in second.all("users")]
    assert [u["email"] for u in first.all("users")] == [u["email"] for u in second.all("users")]
    assert Counter(e["type"] for e in first.all("logs")) == Counter(e["type"] for e in second.all("logs"))
    for kind in ("clients", "connections", "roles", "actions", "organizations", "resource_servers"):
        assert {d["name"] for d in first.all(kind)} == {d["name"] for d in second.all(kind)}


def test_tenants_share_names_but_no_ids(tenants: dict[str, Tenant]) -> None:
    dev, prod = tenants["dev"].store, tenants["prod"].store
    for kind in ("connections", "roles", "actions", "organizations"):
        assert not set(dev.ids(kind)) & set(prod.ids(kind)), kind
        assert names(tenants["prod"], kind) <= names(tenants["dev"], kind)
    shared = set(dev.ids("clients")) & set(prod.ids("clients"))
    assert shared == {"machine", "castellanPortalLocalDemoOnly0001"}


def test_dev_is_ahead_in_ways_worth_promoting(tenants: dict[str, Tenant]) -> None:
    dev, staging, prod = (tenants[name] for name in ("dev", "staging", "prod"))
    assert names(dev, "clients") - names(staging, "clients") == {"Gift Cards"}
    assert names(dev, "organizations") - names(staging, "organizations") == {"Meadow Schools Trust"} or names(
        dev, "organizations"
    ) - names(staging, "organizations") == {"meadow-schools"}
    assert names(staging, "actions") - names(prod, "actions") == {"Refuse closed accounts"}

    def of(tenant: Tenant, kind: str, name: str) -> dict[str, Any]:
        return tenant.store.first(kind, name=name) or {}

    assert of(dev, "actions", "Loyalty tier")["code"] != of(staging, "actions", "Loyalty tier")["code"]
    assert (
        of(dev, "clients", "Larkspur Storefront")["callbacks"]
        != of(staging, "clients", "Larkspur Storefront")["callbacks"]
    )
    scopes = {name: len(of(t, "resource_servers", "Orders API")["scopes"]) for name, t in tenants.items()}
    assert scopes == {"dev": 4, "staging": 3, "prod": 3}
    for path in ("settings/tenants/settings", "settings/branding"):
        assert dev.store.get("settings", path) != prod.store.get("settings", path), path
    assert dev.store.get("email_templates", "reset_email") != prod.store.get("email_templates", "reset_email")


def test_a_month_of_events_is_believable(tenants: dict[str, Tenant]) -> None:
    tenant = tenants["prod"]
    events = list(tenant.store.all("logs"))
    assert [e["log_id"] for e in events] == sorted(e["log_id"] for e in events)
    kinds = Counter(event["type"] for event in events)
    assert kinds["s"] > 5 * kinds["fp"] > 5 * kinds["fu"] > 0
    assert len({event["date"][:10] for event in events}) >= 28
    assert max(event["date"] for event in events) <= tenant.timestamp()
    hours = Counter(event["date"][11:13] for event in events)
    assert hours["19"] > 3 * hours["03"]


def test_factors_sessions_tokens_and_blocks_belong_to_somebody(tenants: dict[str, Tenant]) -> None:
    for tenant in tenants.values():
        known = set(tenant.store.ids("users"))
        for kind in ("authentication_methods", "sessions", "refresh_tokens", "user_blocks", "grants", "user_roles"):
            found = list(tenant.store.all(kind))
            assert found, kind
            assert {document["user_id"] for document in found} <= known, kind
        kinds = {method["type"] for method in tenant.store.all("authentication_methods")}
        assert kinds == {"totp", "recovery-code", "phone", "webauthn-roaming"}


def test_the_custom_database_scripts_work(tenants: dict[str, Tenant]) -> None:
    tenant = tenants["dev"]
    connection = tenant.store.first("connections", name=people.LEGACY)
    assert connection is not None
    code = connection["options"]["customScripts"]
    assert sum(len(script) for script in code.values()) < 100_000
    assert connection["options"]["import_mode"] is False
    (known, *_) = (u for u in tenant.store.all("users") if u["identities"][0]["connection"] == people.LEGACY)
    email, id = known["email"], known["user_id"].removeprefix("auth0|")

    def run(script: str, *arguments: Any) -> Any:
        return asyncio.run(scripts.arun(code[script], script=script, arguments=list(arguments)))

    assert run("login", email, people.PASSWORD).value["user_id"] == id
    assert run("login", email, "wrong").error["identifier"] == id
    assert run("login", "nobody@x.example", "x").error["identifier"] is None
    assert run("get_user", email.upper()).value["email"] == email
    assert run("get_user", "nobody@x.example").value is None
    assert run("create", {"email": email, "password": "x"}).error["code"] == "user_exists"
    assert run("create", {"email": "n@x.example", "password": "x"}).outcome == "success"
    assert run("change_password", email, "New-demo-1").value is True
    assert run("change_password", "nobody@x.example", "x").value is False
    assert run("verify", email).value is True
    assert run("change_email", email, "n@x.example", True).value is True
    assert run("delete", id).outcome == "success"


def test_a_seed_is_made_once_and_nobody_changes_it(tenants: dict[str, Tenant]) -> None:
    tenant = tenants["dev"]
    user = next(tenant.store.all("users"))
    tenant.store.put("users", user["user_id"], {**user, "name": "Changed"})
    tenant.store.remove("roles", tenant.store.ids("roles")[0])
    seed.apply(tenant, "demo")
    assert tenant.store.get("users", user["user_id"]) is user
    assert tenant.store.count("roles") == 10
