"""Auth0's Deploy CLI as an engine: one Node process per job, in a process group of its own, with an empty environment.

bridge.cjs is the other half: it paces the calls, refuses writes that are not in the plan, and tells each step.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from deployments import scopes
from deployments.kinds import KINDS
from portal import auth0
from portal.auth0 import limits, tokens, usage
from portal.errors import Conflict, Invalid, MissingScope, NotConnected, PortalError, Refused, Unavailable
from portal.models import Tenant
from portal.redaction import clean
from portal.runs import Progress
from runtime import node

BRIDGE = Path(__file__).with_name("bridge.cjs")
HEAP_MEGABYTES = 768
# 1 + 2 + 4 + 8 seconds of waiting for a tenant that answers 5xx; more would look like a standstill.
RETRIES = 4
KEPT_STDERR_BYTES = 4000
_CERTIFICATE = ("CERT", "SELF_SIGNED", "UNABLE_TO_VERIFY", "UNABLE_TO_GET_ISSUER", "TLS")

Event = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What one process does: "export" a tenant into the folder, or "import" it from there.

    `included`: kinds of the Deploy CLI, all where None. `allow`: an import's writes (see engines.writes).
    """

    mode: str
    folder: Path
    included: list[str] | None = None
    excluded: list[str] = field(default_factory=list)
    allow: list[Event] = field(default_factory=list)


@dataclass
class Outcome:
    """What a job's events add up to. `counts` is what was read of each kind (None: the Deploy CLI got nothing).

    `troubles`: {kind: [{"method", "path", "status", "message", "code"}]} of each call that was answered with an error.
    """

    counts: dict[str, int | None] = field(default_factory=dict)
    troubles: dict[str, list[Event]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    calls: int = 0
    result: Event = field(default_factory=dict)


def run(tenant: Tenant, job: Job, *, on_event: Callable[[Event], None], progress: Progress | None = None) -> Outcome:
    """Run one job. `on_event` gets each event of the bridge as it comes.

    Raises Cancelled where a person stopped the run (the process group is killed at once), else NotConnected,
    MissingScope, Invalid, Conflict, Refused or Unavailable.
    """
    line, outcome = _line(tenant, job), Outcome()
    with tempfile.TemporaryDirectory(prefix="castellan-") as scratch, _child(tenant, Path(scratch)) as (child, errors):
        stop = lambda: kill(child)  # noqa: E731  it is handed over, once
        with progress.when_cancelled(stop) if progress else contextlib.nullcontext():
            _send(child, line)
            for event in _events(child):
                _add(tenant, outcome, event)
                on_event(event)
            child.wait()
        said = _tail(errors)
    if progress:
        progress.check()
    if not outcome.result.get("ok"):
        raise _problem(tenant, outcome, child.returncode, said)
    return outcome


def kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


@contextlib.contextmanager
def _child(tenant: Tenant, scratch: Path) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    environment = {"HOME": str(scratch), "TMPDIR": str(scratch), "LANG": "C.UTF-8", "NODE_NO_WARNINGS": "1"}
    if authorities := _authorities(tenant):
        (scratch / "authorities.pem").write_text(authorities)
        environment["NODE_EXTRA_CA_CERTS"] = str(scratch / "authorities.pem")
    command = [node.node_binary(), f"--max-old-space-size={HEAP_MEGABYTES}", str(BRIDGE)]
    with (scratch / "stderr").open("w+b") as errors:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd=scratch,
            start_new_session=True,
        )
        try:
            yield child, errors
        finally:
            kill(child)
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    pipe.close() if pipe else None


def _authorities(tenant: Tenant) -> str:
    """Certificates to trust besides Node's own: of the installation and of the tenant."""
    common = Path(settings.CA_BUNDLE).read_text() if settings.CA_BUNDLE else ""
    return "\n".join(part for part in (common, tenant.ca_bundle) if part)


def _line(tenant: Tenant, job: Job) -> bytes:
    """The job as the bridge reads it, with a token. Raises ReadOnly, and as portal.auth0.tokens does."""
    writing = job.mode == "import"
    if writing:
        auth0.check_writable(tenant)
    token = tokens.young(tenant, tokens.credentials(tenant, writing=writing)).value
    access = {"domain": tenant.domain, "token": token, "clientId": tenant.client_id, "retries": RETRIES}
    return json.dumps(asdict(job) | {"folder": str(job.folder)} | access).encode() + b"\n"


def _send(child: subprocess.Popen[bytes], line: bytes) -> None:
    # The pipe stays open after the job: its end tells the child that this process is dead.
    assert child.stdin  # noqa: S101  it was asked for
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(line)
        child.stdin.flush()


def _events(child: subprocess.Popen[bytes]) -> Iterator[Event]:
    assert child.stdout  # noqa: S101
    for line in child.stdout:
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event
                if event.get("ev") == "result":
                    return


def _add(tenant: Tenant, outcome: Outcome, event: Event) -> None:
    kind = event.get("type", "")
    match event.get("ev"):
        case "type" if event["stage"] == "load":
            outcome.counts[kind] = event["count"]
        case "http":
            outcome.calls += 1
            _learn(tenant, event.get("limit"))
            if kind in KINDS and event["status"] in usage.ANSWERED:
                usage.note(tenant, scopes.of_call(KINDS[kind], event["method"]))
            _note(outcome, kind, event)
        case "write" if event["phase"] == "done" and 200 <= event["status"] < 300:
            auth0.note_write(event["request"])
        case "log":
            outcome.warnings.append(clean(event["message"]))
        case "result":
            outcome.result = event


def _note(outcome: Outcome, kind: str, event: Event) -> None:
    """Keep an error; forget it where a later try of the same call got through."""
    call = (event["method"], event["path"], event.get("query"))
    before = [e for e in outcome.troubles.pop(kind, []) if (e["method"], e["path"], e.get("query")) != call]
    if not 200 <= event["status"] < 300 and event["status"] != 429:
        before.append(event)
    if before:
        outcome.troubles[kind] = before


def _learn(tenant: Tenant, limit: dict[str, float] | None) -> None:
    if limit:
        names = {"limit": "limit", "remaining": "left", "reset": "reset"}
        limits.learn(tenant, {f"x-ratelimit-{name}": str(int(limit[key])) for name, key in names.items()})


def _tail(errors: IO[bytes]) -> str:
    errors.flush()
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - KEPT_STDERR_BYTES))
    return clean(errors.read().decode(errors="replace"))


def _problem(tenant: Tenant, outcome: Outcome, code: int, said: str) -> PortalError:
    """The decision that a failed job calls for."""
    result = outcome.result
    if not result:
        why = "it ran out of memory" if "heap out of memory" in said else f"status {code}"
        return Unavailable(
            f"The Deploy CLI ended without a result ({why}). What it had written by then is in the journal."
        )
    if result.get("refused"):
        return Refused(f"Stopped before a call that the plan does not hold: {result['refused']}.")
    if network := result.get("network"):
        return _network_problem(tenant, network)
    return _answer_problem(tenant, outcome, result)


def _network_problem(tenant: Tenant, network: str) -> PortalError:
    if any(part in network for part in _CERTIFICATE):
        return NotConnected(
            f"The certificate of {tenant.domain} is not trusted here. Add its authority to the tenant's CA bundle."
        )
    return Unavailable(f"{tenant.name} ({tenant.domain}) can't be reached ({network}).")


def _answer_problem(tenant: Tenant, outcome: Outcome, result: Event) -> PortalError:
    failed = [event for events in outcome.troubles.values() for event in events]
    last: Event = failed[-1] if failed else {"status": 0, "message": "", "code": "", "method": "", "path": ""}
    text = last.get("message") or clean(str(result.get("message", "")))[:600]
    where = f" at {last['method']} {last['path']}" if last["path"] else ""
    said = f"{tenant.name} says{where}: {text}" if last["status"] else f"The Deploy CLI refuses the project: {text}"
    if last["status"] == 401:
        auth0.forget(tenant)
        return NotConnected(f"{tenant.name} no longer takes the access token: {text}")
    if last["status"] == 403 and "scope" in text.lower():
        return MissingScope([s.strip() for s in text.partition(":")[2].split(",") if s.strip()], tenant.name)
    if last["status"] == 0 or last["status"] in (400, 404, 422):
        return Invalid(said)
    if last["status"] == 409:
        return Conflict(said)
    return Refused(said) if last["status"] == 403 else Unavailable(said)
