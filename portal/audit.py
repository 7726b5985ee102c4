"""The trail of every act: append-only, hash-chained, redacted.

Each write to a tenant runs inside `recorded`; there is no other way that the views use. The row is written when the act
has ended, whatever its end, in a transaction of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from portal import auth0
from portal.errors import Cancelled, Conflict, Invalid, PortalError, Unknown
from portal.models import AuditEvent, AuditHead, Tenant
from portal.redaction import clean, mask

GENESIS = "0" * 64
TELL_EVERY = 5000
HASHED = (
    *("at", "actor", "actor_id", "verb", "tenant", "target", "target_label", "reason", "ticket"),
    *("before", "after", "outcome", "detail", "request_id", "previous_hash"),
)


@dataclass
class Entry:
    """What an act fills in while it runs. `before` and `after` hold only the touched fields."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    detail: str = ""
    event: AuditEvent = field(init=False)


@contextmanager
def recorded(
    actor: AbstractBaseUser | None,
    verb: str,
    *,
    tenant: Tenant | None = None,
    target: str = "",
    target_label: str = "",
    reason: str = "",
    ticket: str = "",
) -> Iterator[Entry]:
    """Run one act and record it: succeeded, failed (with the error's sentence), or not known (the answer was lost).

    `verb` is a permission of portal.access; `target` an id (a user_id), `target_label` what a person calls it.
    After the block, `entry.event` is the stored row, with Auth0's request ids of the writes that were made inside, and
    of the call that failed. The error is raised again.
    """
    entry, outcome, refused = Entry(), AuditEvent.Outcome.FAILED, ""
    try:
        with auth0.noting_writes() as written:
            yield entry
        outcome = AuditEvent.Outcome.SUCCEEDED
    except Unknown as error:
        outcome, entry.detail = AuditEvent.Outcome.UNKNOWN, error.message
        raise
    except PortalError as error:
        entry.detail, refused = error.message, error.request_id
        raise
    except Cancelled:
        entry.detail = " ".join((entry.detail, "Stopped half-way, as asked.")).strip()
        raise
    except Exception as error:
        entry.detail = f"Unexpected {type(error).__name__}"
        raise
    finally:
        entry.event = record(
            actor, verb, tenant=tenant, target=target, target_label=target_label, reason=reason, ticket=ticket,
            outcome=outcome, before=entry.before, after=entry.after, detail=entry.detail,
            request_id=_as_many_as_fit([*written, refused]),
        )  # fmt: skip


def record(actor: AbstractBaseUser | None, verb: str, *, tenant: Tenant | None = None, **fields: Any) -> AuditEvent:
    """Append one event. `actor` None is the portal itself (a schedule). Secrets are masked here."""
    fields["before"], fields["after"] = mask(fields.get("before", {})), mask(fields.get("after", {}))
    fields["detail"], fields["reason"] = clean(fields.get("detail", "")), clean(fields.get("reason", ""))
    event = AuditEvent(
        at=timezone.now(),
        actor=_name(actor),
        actor_id=actor.pk if actor else None,
        verb=verb,
        tenant=tenant.slug if tenant else "",
        **fields,
    )
    for _ in range(50):
        if _append(event):
            return event
    raise Conflict("The audit trail is busy: too many acts at once. Try again.")


def required_reason(text: str) -> str:
    """The reason, stripped; Invalid where the installation asks for one and there is none."""
    text = text.strip()
    if settings.REASON_REQUIRED and not text:
        raise Invalid("Say why: a reason is required for this act.")
    return text


def hash_of(event: AuditEvent) -> str:
    """SHA-256 over the row's fields in canonical JSON, the hash of the row before among them."""
    content = {name: getattr(event, name) for name in HASHED}
    content["at"] = event.at.isoformat(timespec="microseconds")
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def verify(tell: Callable[[int], None] = lambda count: None) -> tuple[int, str]:
    """Walk the whole chain. Returns (number of sound rows, "" or what is wrong with the first bad one).

    `tell` is called with the number of sound rows now and then. Acts may go on meanwhile: what is added is walked too.
    """
    written, previous, count = _head().count, GENESIS, 0
    for event in AuditEvent.objects.order_by("pk").iterator():
        if event.previous_hash != previous:
            return count, f"Entry {event.pk} does not follow the entry before it: one was removed or inserted."
        if hash_of(event) != event.hash:
            return count, f"Entry {event.pk} was changed after it was written."
        previous, count = event.hash, count + 1
        if count % TELL_EVERY == 0:
            tell(count)
    if count < written:
        return count, f"The end of the trail is missing: {written} entries were written, {count} are here."
    head = _head()
    if count > head.count or (count == head.count and previous != head.hash):
        return count, "The last entry is not the one that was written last."
    return count, ""


def _head() -> AuditHead:
    return AuditHead.objects.first() or AuditHead(hash=GENESIS)


def _as_many_as_fit(request_ids: list[str]) -> str:
    """The newest ones that fit the column, in their order, separated by spaces."""
    room, kept = AuditEvent._meta.get_field("request_id").max_length or 0, ""
    for one in reversed([id_ for id_ in request_ids if id_]):
        if len(one) + len(kept) + 1 > room:
            break
        kept = f"{one} {kept}".strip()
    return kept


@transaction.atomic
def _append(event: AuditEvent) -> bool:
    head, _ = AuditHead.objects.get_or_create(pk=1, defaults={"hash": GENESIS})
    event.previous_hash = head.hash
    event.hash = hash_of(event)
    moved = AuditHead.objects.filter(pk=1, hash=head.hash).update(hash=event.hash, count=head.count + 1)
    if moved:
        event.save(force_insert=True)
    return bool(moved)


def _name(actor: AbstractBaseUser | None) -> str:
    return (getattr(actor, "email", "") or actor.get_username()) if actor else "Castellan"
