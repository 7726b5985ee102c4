"""The portal with the demo's tenants: what it adds to a call, previews of MFA policies, an export, the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench import servers
from bench.table import Aim, Row, most

if TYPE_CHECKING:
    from portal.models import Tenant

PREVIEWED = 10_000
PREVIEW_LIMIT_SECONDS = 10
TIMES = 41


def measure(seconds: float) -> Iterator[Row]:
    with _portal() as tenant:
        yield from _user_page(tenant)
        yield from _audit()
        yield _preview()
        if seconds >= 3:
            yield _export(tenant)


@contextmanager
def _portal() -> Iterator[Tenant]:
    """A migrated database, a queue and the demo's tenants; the row of `dev`."""
    from tests import environment, local_tenants

    with ExitStack() as stack:
        around = environment.begin(stack)  # before Django reads its settings
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        running = stack.enter_context(local_tenants.running(around))
        yield _registered(running.tenant("dev"), running.authority.read_text())


def _registered(local: Any, authority: str) -> Tenant:
    from portal.models import Stage, Tenant

    return Tenant.objects.create(
        slug="dev", name="Dev", domain=local.domain, stage=Stage.DEVELOPMENT, position=0,
        client_id=local.client_id, client_secret=local.client_secret, ca_bundle=authority,
    )  # fmt: skip


def _user_page(tenant: Tenant) -> Iterator[Row]:
    """The page as the web server gives it, up to its last byte; its panels come later and don't hold it up."""
    from portal import auth0
    from tests import people

    user_id = auth0.request(tenant, "GET", "/users", params={"per_page": 1})[0]["user_id"]
    path = f"/users/{quote(user_id, safe='')}"
    browser = people.Person(people.account("helpdesk", ["helpdesk"]))
    address = f"/t/{tenant.slug}/users/id/{quote(user_id)}/"

    def page() -> None:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")

    call_ms, page_ms = _in_turn(lambda: auth0.request(tenant, "GET", path), page)
    yield Row("page of a user, first paint", page_ms, call_ms, "ms", "the one Management API GET in it", Aim.NONE)


def _audit() -> Iterator[Row]:
    from django.db import connection
    from django.utils import timezone

    from portal import audit

    with connection.cursor() as cursor:
        cursor.execute(_bare_table())
    fields = _columns()
    places = ", ".join(["%s"] * len(fields))
    insert = f"INSERT INTO bare_event ({', '.join(fields)}) VALUES ({places})"  # noqa: S608 - the model's own names
    values = [str(timezone.now()), *["a value of usual length"] * (len(fields) - 1)]

    def bare() -> None:
        with connection.cursor() as cursor:
            cursor.execute(insert, values)

    def append() -> None:
        audit.record(None, "users.block", target="auth0|1", target_label="Ada", outcome="succeeded", reason="Left")

    bare_ms, append_ms = _in_turn(bare, append)
    yield Row("appends to the audit trail", 1000 / append_ms, 1000 / bare_ms, "1/s", "bare INSERTs", Aim.NONE)


def _bare_table() -> str:
    return f"CREATE TABLE bare_event (id integer PRIMARY KEY, {', '.join(f'{column} text' for column in _columns())})"


def _columns() -> list[str]:
    """Of the audit trail's table, without its own number."""
    from portal.models import AuditEvent

    return [str(field.column) for field in AuditEvent._meta.concrete_fields if not field.primary_key]


def _preview() -> Row:
    """Verdicts of the generated Action for ten thousand people, half of them named by a rule."""
    from identity.mfa import generate, simulate
    from identity.mfa.login_flow import MfaSettings
    from identity.mfa.policy import PolicyRules, Rule

    rules = PolicyRules((Rule("email_domains", {"domains": ["harbourline.example"]}, ("otp",)),))
    code = generate.code_of(rules, name="Partners", version=1)
    settings = MfaSettings(frozenset(["otp", "phone"]))
    domains = ("harbourline.example", "larkspur.example")
    users = [
        {"user_id": f"auth0|{number}", "email": f"person.{number}@{domains[number % 2]}", "email_verified": True}
        for number in range(PREVIEWED)
    ]

    def preview() -> None:
        verdicts = simulate.verdicts(code, [simulate.event_of(user, []) for user in users], settings)
        asked = sum(verdict.kind == "enrol" for verdict in verdicts)
        if asked != PREVIEWED // 2:
            raise RuntimeError(f"The policy asks {asked} of {PREVIEWED} people")

    taken = servers.once_ms(preview) / 1000
    return most(f"preview of an MFA policy for {PREVIEWED:,} users", taken, PREVIEW_LIMIT_SECONDS, "s")


def _export(tenant: Tenant) -> Row:
    """The Deploy CLI's export, prompts excluded. It depends on that program alone: told, not judged."""
    from deployments import snapshots
    from portal.models import Run
    from portal.runs import Progress

    progress = Progress(Run.objects.create(kind="bench", title="Export"))
    taken = servers.once_ms(lambda: snapshots.read(tenant, progress)) / 1000
    return Row("Deploy CLI export of the demo tenant", taken, 0, "s", "for information", Aim.NONE)


def _in_turn(one: Any, other: Any) -> tuple[float, float]:
    """The medians of two acts, done in turn."""
    one(), other()
    ones, others = zip(*[(servers.once_ms(one), servers.once_ms(other)) for _ in range(TIMES)], strict=True)
    return sorted(ones)[TIMES // 2], sorted(others)[TIMES // 2]
