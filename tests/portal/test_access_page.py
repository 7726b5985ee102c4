"""What a tenant's application may do: shown feature by feature and scope by scope, on its page and by the doctor."""

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from dataclasses import asdict
from datetime import timedelta
from itertools import takewhile
from pathlib import Path

import pytest
from auth0.management.types import oauth_scope
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from portal import auth0, plans, scopes, standing, tenants
from portal.access import ACTS, PERMISSIONS
from portal.auth0 import endpoints, tokens
from portal.auth0.usage import note
from portal.crypto import encrypt
from portal.errors import MissingScope, PortalError, Unavailable
from portal.models import PlanAnswer, ScopeUse, Tenant
from portal.scopes import FEATURES, Granted
from sandbox.kinds.routes import endpoints as all_endpoints

ALL = {scope for endpoint in all_endpoints() for scope in endpoint.scopes} | {
    "read:connections_options",
    "update:connections_options",
}

RedisCache = "django.core.cache.backends.redis.RedisCache"


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# The table


def test_each_feature_is_a_permission_or_a_part_of_one_and_its_scopes_exist_in_auth0():
    assert {feature.permission or name for name, feature in FEATURES.items()} <= set(ACTS)
    assert {name for name, feature in FEATURES.items() if feature.permission} == set(scopes.PARTS)
    known = set(re.findall(r'"([a-z]+:[a-z_]+)"', Path(oauth_scope.__file__).read_text()))
    known |= {"read:connections_options", "update:connections_options"}  # newer than this SDK
    assert set(scopes.needed()) | set(scopes.DANGEROUS) <= known


def test_no_feature_asks_for_a_forbidden_scope():
    assert not {"read:user_idp_tokens", "read:client_keys", "delete:users"} & set(scopes.needed())


def test_each_endpoint_that_is_called_exists_and_uses_scopes_that_auth0_would_take():
    """Options of connections have scopes of their own, which no endpoint is named for."""
    known = {(e.method, re.sub(r"\{[^}]+\}", "*", e.path)): set(e.scopes) for e in all_endpoints()}
    for (method, _), rows in endpoints._by_shape.items():
        for segments, used in rows:
            assert known[method, "/" + "/".join(segments)] & set(used), segments


def test_each_scope_of_an_endpoint_is_wanted_by_a_feature_and_the_other_way_round():
    from deployments import scopes as kinds

    by_deploy_cli = kinds.reading() | kinds.writing()
    assert endpoints.known_scopes() <= set(scopes.needed())
    assert set(scopes.needed()) <= endpoints.known_scopes() | by_deploy_cli


def test_a_call_that_the_table_of_endpoints_does_not_know_is_warned_of(dev):
    with pytest.warns(RuntimeWarning, match="no row for GET /grants"):
        auth0.request(dev, "GET", "/grants")


def test_reads_are_held_against_the_reading_application_and_writes_against_the_other():
    split = Granted(reads=frozenset({"read:users"}), writes=frozenset({"update:users", "read:clients"}))
    assert scopes.missing("users.block", split) == []
    assert scopes.missing("users.block", Granted(split.writes, split.reads)) == ["read:users", "update:users"]
    plan = ("read:clients", "update:clients")
    reads_clients = Granted(frozenset(plan[:1]), frozenset(plan[1:]))
    assert scopes.missing("promotions.apply", reads_clients, plan) == ["read:clients"], "the Deploy CLI has one token"


def test_a_feature_that_needs_nothing_always_is_off_where_nothing_of_it_would_be_left():
    nothing, some = Granted(frozenset({"read:users"})), Granted(frozenset({"read:roles"}))
    wanted = list(FEATURES["snapshots.export"].improves)
    assert (scopes.missing("snapshots.export", nothing), scopes.reduced("snapshots.export", nothing)) == (wanted, [])
    assert scopes.missing("snapshots.export", some) == []
    assert scopes.reduced("snapshots.export", some) == [scope for scope in wanted if scope != "read:roles"]


# The page


def test_a_missing_scope_turns_off_its_features_alone(dev, grant):
    grant(["read:users", "update:users"])
    features = {f.name: f for f in standing.of(dev).features}
    assert features["users.block"].missing == []
    assert features["users.create_reset_link"].missing == ["create:user_tickets"]
    assert "read:logs" in features["users.view"].reduced


def test_the_page_names_each_missing_scope_with_both_ways_to_grant_it(dev, grant, person):
    grant(["read:users"])
    html = person("administrator").get("/tenants/dev/").content.decode()
    wanted = {scope for scope in scopes.needed() if scope not in scopes.DANGEROUS} - {"read:users"}
    to_grant = html[html.index("Grant what is missing") : html.index("Every scope")]
    assert all(f"<code>{scope}</code>" in to_grant and f"&quot;{scope}&quot;" in to_grant for scope in wanted)
    assert "Machine to Machine Applications" in to_grant
    dangerous = [scope for scope in scopes.DANGEROUS if f"<code>{scope}</code>" in to_grant]
    assert dangerous == [], "nobody is led to grant one"


def test_each_part_of_the_portal_has_a_command_of_its_own_that_grants_it_and_nothing_else(dev, grant):
    grant(["read:users", "read:authentication_methods"])
    (application,) = standing.of(dev).applications
    areas = {area.label: area for area in application.areas}
    users = areas["Users"]
    assert users.needed == ["create:user_tickets", "delete:authentication_methods", "update:users"]
    assert set(users.scopes) - set(users.needed) == {"read:logs", "read:organizations", "read:roles", "read:sessions"}
    assert all(f'"{scope}"' in users.command for scope in users.scopes)
    assert "create:actions" not in users.command
    assert "create:actions" in areas["MFA policies"].needed


def test_the_doctor_proposes_to_grant_what_turns_something_on_and_no_more(dev, grant, capsys):
    grant(["read:users", "read:clients", "read:actions"])
    command = failing_doctor(capsys, "--tenant", "dev").partition("more='")[2].partition("'")[0]
    off = {scope for name, feature in FEATURES.items() for scope in feature.needs}
    assert set(json.loads(command)) == off - {"read:users", "read:clients", "read:actions", *scopes.DANGEROUS}


def test_the_page_says_what_is_dangerous_what_is_unneeded_and_how_old_the_token_is(dev, grant, person):
    grant(["read:users", "update:client_grants", "read:forms", "read:hooks", "delete:users"])
    said = text(person("administrator").get("/tenants/dev/").content.decode())
    assert "update:client_grants As create:client_grants: the application can raise its own rights." in said
    assert "delete:users Deleted users can't be brought back." in said.replace("&#x27;", "'")
    assert re.search(r"needed by nothing read:hooks", said)
    assert "Needed by nothing here: take it away." in said
    assert re.search(r"Its token \d+ s old, ends in 23 h 59 min", said)


@pytest.mark.skipif(not shutil.which("jq"), reason="no jq here")
def test_the_command_adds_scopes_to_what_is_granted(tmp_path):
    tenant = Tenant(domain="acme.eu.auth0.com")
    stub = tmp_path / "auth0"
    stub.write_text(
        '#!/bin/bash\nprintf "%s\\n" "$@" >> calls\nprintf "%s\\n" -- >> calls\n'
        """[ "$2" = get ] && echo '[{"id": "cgr_1", "scope": ["read:users"]}]'\nexit 0\n"""
    )
    stub.chmod(0o755)
    command = standing.grant_command(tenant, "client one", ["update:users", "read:users", "read:logs"])
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, env={"PATH": path}, check=True)
    got, patched = (
        part.split("\n") for part in (tmp_path / "calls").read_text().strip().removesuffix("--").split("\n--\n")
    )
    assert got == [
        *("api", "get", "client-grants", "-q", "client_id=client one"),
        *("-q", "audience=https://acme.eu.auth0.com/api/v2/"),
    ]
    assert patched[:3] == ["api", "patch", "client-grants/cgr_1"]
    assert json.loads(patched[4]) == {"scope": ["read:logs", "read:users", "update:users"]}


def test_the_command_fits_a_terminal():
    tenant = Tenant(domain="acme.eu.auth0.com")
    lines = standing.grant_command(tenant, "x" * 32, sorted(ALL)).split("\n")
    assert max(map(len, lines)) < 80
    assert shlex.split("\n".join(lines))


def test_the_rate_limit_is_told_as_the_latest_answer_said_it(dev, sandbox, person):
    sandbox.tenant("dev").conditions(rate_limit={"burst": 50, "per_second": 1000})
    auth0.request(dev, "GET", "/guardian/factors")
    assert "49 of 50 calls left" in text(person("administrator").get("/tenants/dev/").content.decode())


def test_a_tenant_that_refuses_the_credentials_has_a_page_that_says_so(dev, person):
    Tenant.objects.filter(pk=dev.pk).update(client_secret="wrong")
    html = person("administrator").get("/tenants/dev/").content.decode()
    assert "Not connected." in html
    assert "the client id or its secret is wrong" in html


# A tenant in trouble


def asked_for_tokens(sandbox) -> int:
    return sum(request["path"] == "/oauth/token" for request in sandbox.tenant("dev").requests())


@pytest.mark.parametrize("trouble", [{"status": 500}, {"status": 429}, {"hang_seconds": 20}])
def test_a_tenant_that_gives_no_token_has_a_page_that_says_since_when_and_what_was_known(
    dev, grant, sandbox, person, monkeypatch, trouble
):
    monkeypatch.setattr(tokens, "PAGE_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(tokens, "TROUBLE_SECONDS", 600)
    grant(["read:users"])
    tokens.current(dev)
    auth0.forget(dev)
    sandbox.tenant("dev").conditions(faults=[{"path": "/oauth/token", "times": 9, **trouble}])
    admin = person("administrator")
    said = text(admin.get("/tenants/dev/").content.decode())
    assert "Not connected. Dev" in said
    assert re.search(r"It first failed .+ , and last .+ \. What stands below about scopes was so ", said)
    assert f"of {len(FEATURES)} features are off" in said, "as it was known"
    before = asked_for_tokens(sandbox)
    for url in ("/tenants/dev/", "/tenants/dev/"):
        assert admin.get(url).status_code == 200
    assert 'data-dialog="export"' in person("release-manager").get("/t/dev/snapshots/").content.decode()
    assert asked_for_tokens(sandbox) == before, "pages ask again after a while alone"


def test_a_tenant_that_never_gave_a_token_has_a_page_without_a_word_about_scopes(dev, sandbox, person):
    sandbox.tenant("dev").conditions(faults=[{"path": "/oauth/token", "times": 9, "status": 500}])
    said = text(person("administrator").get("/tenants/dev/").content.decode())
    assert "Not connected." in said
    assert "What works here" not in said


def test_trouble_is_over_with_the_first_token(dev, grant, sandbox, person, monkeypatch):
    monkeypatch.setattr(tokens, "TROUBLE_SECONDS", 600)
    grant(["read:users"])
    older(dev)
    sandbox.tenant("dev").conditions(faults=[{"path": "/oauth/token", "times": 9, "status": 500}])
    trouble = standing.of(dev).trouble
    assert trouble
    assert standing.of(dev).applications, "the token that is at hand goes on"
    sandbox.tenant("dev").conditions(faults=[])
    assert standing.of(dev).trouble.at == trouble.at, "not asked again at once"
    monkeypatch.setattr(tokens, "TROUBLE_SECONDS", 0)
    assert standing.of(dev).trouble is None


def test_who_waits_for_another_ones_token_gets_its_trouble_too(dev, sandbox):
    sandbox.tenant("dev").conditions(latency_ms=1500, faults=[{"path": "/oauth/token", "times": 9, "status": 500}])
    said: list[str] = []
    together = threading.Barrier(4)

    def call() -> None:
        together.wait()
        with pytest.raises(Unavailable) as refused:
            tokens.current(dev)
        said.append(refused.value.message)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(said) == 4
    assert asked_for_tokens(sandbox) == 1


# What was granted a moment ago


def older(dev, seconds: float = 3600) -> None:
    """The token that is at hand was fetched so long ago."""
    token, key = tokens.current(dev), tokens._key(dev, tokens.credentials(dev))
    aged = asdict(token) | {"fetched_at": token.fetched_at - seconds}
    cache.set(key, encrypt(json.dumps(aged)), timeout=600)
    cache.delete(f"granted-again:{dev.pk}")


def granted_behind_the_portal(sandbox, dev, wanted):
    """As in Auth0's dashboard: the portal's token, an hour old, does not know it."""
    older(dev)
    sandbox.tenant("dev").grant(wanted)


def test_a_call_whose_scope_was_granted_since_goes_through_with_a_fresh_token(dev, grant, sandbox):
    grant(["read:users"])
    granted_behind_the_portal(sandbox, dev, ["read:users", "read:guardian_factors"])
    assert auth0.request(dev, "GET", "/guardian/factors")


def test_a_scope_that_is_missing_all_the_same_is_not_asked_for_again_and_again(dev, grant, sandbox):
    grant(["read:users"])
    older(dev)
    for _ in range(3):
        with pytest.raises(MissingScope):
            auth0.request(dev, "GET", "/guardian/factors")
    asked = [r for r in sandbox.tenant("dev").requests() if r["path"] == "/oauth/token"]
    assert len([r for r in asked if r["status"] == 200]) <= 3, "the test's own, the first, and one fresh one"


def test_pages_and_acts_know_a_scope_that_was_granted_since(dev, grant, sandbox):
    grant(["read:users"])
    assert tenants.missing_scopes(dev, "users.block") == ["update:users"]
    granted_behind_the_portal(sandbox, dev, ["read:users", "update:users"])
    assert tenants.missing_scopes(dev, "users.block") == []


def test_pages_ask_for_a_fresh_token_once_a_minute_also_while_the_tenant_is_in_trouble(dev, grant, sandbox, person):
    grant(["read:users"])
    older(dev)
    sandbox.tenant("dev").conditions(faults=[{"method": "POST", "path": "/oauth/token", "status": 500, "times": 9}])
    before, release = len(sandbox.tenant("dev").requests()), person("release-manager")
    for _ in range(3):
        assert "aria-disabled" in release.get("/t/dev/snapshots/").content.decode()
    assert [r["status"] for r in sandbox.tenant("dev").requests()[before:]] == [500]


def test_a_page_reads_what_is_granted_once_however_many_acts_it_offers(dev, person, caller, valkey):
    def token_reads(role: str) -> int:
        page = person(role)
        page.get(f"/t/dev/users/id/{caller['user_id']}/")  # a token is at hand now
        with valkey.monitor() as monitor:
            html = page.get(f"/t/dev/users/id/{caller['user_id']}/").content.decode()
            valkey.echo("the end")
            said = [
                command["command"] for command in takewhile(lambda c: "the end" not in c["command"], monitor.listen())
            ]
        assert html.count("w-100 user-act") == {"helpdesk": 5, "security": 2}[role]
        return sum(command.startswith("GET") and ":token:" in command for command in said)

    assert token_reads("helpdesk") == token_reads("security") > 0


def test_signing_in_again_shows_what_was_taken_away(dev, grant, sandbox, person):
    grant(ALL)
    admin = person("administrator")
    assert "Grant what is missing" not in admin.get("/tenants/dev/").content.decode()
    granted_behind_the_portal(sandbox, dev, sorted(ALL - {"read:logs"}))
    assert "Grant what is missing" not in admin.get("/tenants/dev/").content.decode(), "the token still holds it"
    html = admin.post("/tenants/dev/token/", follow=True).content.decode()
    assert "Grant what is missing" in html


# What is used


def test_a_scope_is_known_to_be_used_once_a_call_has_used_it(dev):
    assert not ScopeUse.objects.exists()
    auth0.request(dev, "GET", "/connections", params={"per_page": 1})
    used = dict(ScopeUse.objects.values_list("scope", "last_used_on"))
    assert used == dict.fromkeys(("read:connections", "read:connections_options"), timezone.now().date())


def test_a_refused_call_used_nothing_and_an_answered_one_did_even_where_nothing_was_there(dev, grant, sandbox):
    grant(["read:users"])
    with pytest.raises(MissingScope):
        auth0.request(dev, "GET", "/guardian/factors")
    with auth0.ignoring(PortalError):
        auth0.request(dev, "GET", "/users/auth0%7Cnobody")
    assert set(ScopeUse.objects.values_list("scope", flat=True)) == {"read:users"}


def test_a_day_writes_one_row_per_scope_whatever_is_called(dev, django_assert_num_queries):
    note(dev, ["read:users"])
    with django_assert_num_queries(0):
        for _ in range(5):
            note(dev, ["read:users"])


@pytest.mark.postgres
def test_the_first_day_stays_and_the_last_one_moves(db, valkey):
    tenant, long_ago = (
        Tenant.objects.create(slug="acme", domain="acme.eu.auth0.com"),
        timezone.now().date() - timedelta(9),
    )
    ScopeUse.objects.create(tenant=tenant, scope="read:users", first_used_on=long_ago, last_used_on=long_ago)
    note(tenant, ["read:users", "read:logs"])
    days = {use.scope: (use.first_used_on, use.last_used_on) for use in ScopeUse.objects.all()}
    today = timezone.now().date()
    assert days == {"read:users": (long_ago, today), "read:logs": (today, today)}


def test_what_was_needed_and_not_used_for_ninety_days_is_listed_once_records_are_old_enough(dev, grant, person):
    grant(ALL)
    today = timezone.now().date()
    ScopeUse.objects.create(
        tenant=dev, scope="read:logs", first_used_on=today - timedelta(200), last_used_on=today - timedelta(120)
    )
    ScopeUse.objects.create(tenant=dev, scope="read:users", first_used_on=today, last_used_on=today)
    found = standing.of(dev)
    idle = {scope.name: scope.last_used for scope in found.idle}
    assert idle["read:logs"] == today - timedelta(120)
    assert idle["read:roles"] is None
    assert "read:users" not in idle
    assert found.idle_since == "for 90 days"
    said = text(person("administrator").get("/tenants/dev/").content.decode())
    assert "no call used them for 90 days" in said
    assert f"recorded since {today - timedelta(200):%-d %b %Y}" in said


def test_young_records_say_since_when_they_exist(dev, grant):
    note(dev, ["read:users"])
    assert standing.of(dev).idle_since == (
        f"since records began on {timezone.now():%-d %b %Y}, which is not yet 90 days"
    )


def test_without_any_record_nothing_is_called_idle(dev, person):
    assert standing.of(dev).idle_since == ""
    assert "Needed, and not used" not in person("administrator").get("/tenants/dev/").content.decode()


# What the plan has


def test_what_the_plan_has_is_asked_of_the_tenant_remembered_and_asked_again(dev, person, sandbox):
    sandbox.tenant("dev").conditions(plan="professional")
    admin = person("administrator")
    assert "Not asked yet" in admin.get("/tenants/dev/").content.decode()
    said = text(admin.post("/tenants/dev/plan/", follow=True).content.decode())
    assert "User sessions Not in this plan" in said
    assert "Please upgrade your subscription to use session management" in said
    assert "Log streams In this plan" in said
    sandbox.tenant("dev").conditions(plan="enterprise")
    asked = sandbox.tenant("dev").requests()
    said = text(admin.get("/tenants/dev/").content.decode())
    assert "User sessions Not in this plan" in said, "it is remembered"
    assert [r for r in sandbox.tenant("dev").requests()[len(asked) :] if r["path"].startswith("/api/v2/")] == []
    assert "User sessions In this plan" in text(admin.post("/tenants/dev/plan/", follow=True).content.decode())


def test_a_missing_scope_or_a_tenant_in_trouble_says_nothing_about_the_plan(dev, grant, sandbox):
    grant(ALL - {"read:sessions"})
    sandbox.tenant("dev").conditions(
        faults=[{"method": "GET", "path": "/api/v2/log-streams", "status": 500, "times": 9}]
    )
    plans.ask(dev)
    assert dict(PlanAnswer.objects.values_list("feature", "available")) == {
        **dict.fromkeys((feature.name for feature in plans.PLAN_FEATURES), True),
        "User sessions": None,
        "Log streams": None,
    }


def test_a_tenant_that_does_not_answer_is_asked_for_its_plan_once_and_what_it_said_before_stays(
    dev, person, sandbox, settings
):
    plans.ask(dev)
    before = list(PlanAnswer.objects.values())
    settings.AUTH0_TIMEOUT_SECONDS = 0.3
    auth0.forget(dev)
    tokens.current(dev)
    sandbox.tenant("dev").conditions(faults=[{"method": "GET", "path": "/api/v2/*", "hang_seconds": 20, "times": 99}])
    answer = person("administrator").post("/tenants/dev/plan/")
    assert answer.status_code == 503
    assert "took too long to answer" in answer.content.decode()
    assert list(PlanAnswer.objects.values()) == before


def test_a_panel_that_the_plan_lacks_says_so_instead_of_an_error(dev, person, sandbox, caller):
    sandbox.tenant("dev").conditions(plan="professional")
    html = person("helpdesk").get(f"/t/dev/users/panel/sessions/{caller['user_id']}/").content.decode()
    assert "Not in this tenant's plan." in html.replace("&#x27;", "'")
    assert "Try again" not in html


# The doctor


def doctor(capsys, *arguments: str) -> str:
    call_command("doctor", *arguments)
    return capsys.readouterr().out


def failing_doctor(capsys, *arguments: str) -> str:
    with pytest.raises(CommandError, match="to mend"):
        call_command("doctor", *arguments)
    return capsys.readouterr().out


def test_the_doctor_names_each_missing_scope_of_an_under_scoped_application_and_fails(dev, grant, capsys):
    grant(["read:users"])
    said = failing_doctor(capsys, "--tenant", "dev")
    off = "WRONG users.block, users.unblock, users.clear_blocks: off; missing update:users"
    assert off in " ".join(said.split())
    assert not [s for s in set(scopes.needed()) - {"read:users", *scopes.DANGEROUS} if s not in said]
    assert "auth0 api patch" in said
    assert max(map(len, said.split("\n"))) < 80


def test_the_doctor_tells_all_that_the_page_tells(dev, grant, capsys):
    grant(ALL - {"read:logs"})
    note(dev, ["read:users"])
    said = " ".join(doctor(capsys, "--tenant", "dev", "--plan").split())
    for part in (
        "users.view: something is left out; missing read:logs",
        "dangerous: delete:users (needed by nothing here). Deleted users can't be brought back.",
        "granted and needed by nothing here:",
        "needed, and not used since records began on",
        "plan: User sessions: yes, asked on",
        "(reads and writes; client secret); token 0 s old, ends in 24.0 h",
    ):
        assert part in said, part
    assert "All is well." in said


def test_the_doctor_signs_in_again_so_that_a_secret_that_is_no_longer_good_is_found(dev, sandbox, capsys):
    tokens.current(dev)
    client = sandbox.tenant("dev").api("POST", f"/clients/{dev.client_id}/rotate-secret")
    assert client["client_secret"] != dev.client_secret
    assert "the client id or its secret is wrong" in " ".join(failing_doctor(capsys, "--tenant", "dev").split())


def test_the_doctor_speaks_to_machines(dev, grant, capsys):
    grant(["read:users", "delete:users"])
    said = json.loads(failing_doctor(capsys, "--tenant", "dev", "--json"))
    (one,) = said["tenants"]
    assert said["problems"] == len({tuple(feature["missing"]) for feature in one["features"]} - {()})
    assert (one["slug"], one["problem"]) == ("dev", None)
    assert "update:users" in one["missing"]
    assert one["dangerous"] == [{"scopes": ["delete:users"], "why": scopes.DANGEROUS["delete:users"], "features": []}]
    assert "update:users" in one["applications"][0]["lacking"]


@pytest.mark.parametrize("arguments", [(), ("--plan",)])
def test_the_doctor_says_of_a_tenant_that_is_away_since_when(dev, sandbox, capsys, arguments):
    known = tokens.current(dev)
    sandbox.tenant("dev").conditions(faults=[{"path": "*", "times": 99, "status": 503}])
    failing_doctor(capsys, "--tenant", "dev")
    since = tokens.trouble(dev).since
    said = " ".join(failing_doctor(capsys, "--tenant", "dev", *arguments).split())
    assert "WRONG Dev gives no access token now (status 503). Try again. note it first failed at" in said
    assert "signed in to last at" in said
    assert ": off" not in said
    (one,) = json.loads(failing_doctor(capsys, "--tenant", "dev", "--json", *arguments))["tenants"]
    assert (one["problem_since"], one["known_at"]) == (since, known.fetched_at)
    assert "status 503" in one["problem"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}, "WRONG stored secrets: A stored secret can't be read"),
        (
            {"CACHES": {"default": {"BACKEND": RedisCache, "LOCATION": "redis://:s3cret-word@127.0.0.1:1/0"}}},
            "WRONG cache and queue: Error 111 connecting to 127.0.0.1:1.",
        ),
    ],
)
def test_the_doctor_says_what_the_installation_itself_lacks_and_stops_there(dev, settings, capsys, broken, said):
    for name, value in broken.items():
        setattr(settings, name, value)
    told = failing_doctor(capsys, "--tenant", "dev")
    assert said in " ".join(told.split())
    assert dev.domain not in told
    assert "s3cret-word" not in told
    assert json.loads(failing_doctor(capsys, "--tenant", "dev", "--json"))["problems"] == 1


def test_the_doctor_names_wrong_credentials_and_unknown_tenants(dev, capsys):
    Tenant.objects.filter(pk=dev.pk).update(client_id="nobody")
    said = " ".join(failing_doctor(capsys, "--tenant", "dev", "--tenant", "nowhere").split())
    assert "client id or its secret is wrong" in said
    assert "no tenant nowhere is registered" in said
    assert "Staging" not in said


def test_permissions_that_act_on_a_tenant_have_their_scopes_in_the_table():
    kernel = {"mfa.edit", "databases.edit", "databases.test", "snapshots.view", "promotions.view", "users.manage_staff"}
    mine = {"runs", "audit", "tenants", "access"}
    assert {p for p in PERMISSIONS if p.partition(".")[0] not in mine} - kernel <= set(FEATURES)
