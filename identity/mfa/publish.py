"""Bringing a version to a tenant's login flow, returning to an earlier one, and taking the policy away.

Each is a run that may be started again at any time: every step looks first and does only what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from identity.mfa import drafts, guard, login_flow
from identity.mfa import policy as policies
from identity.mfa.generate import sha256
from identity.mfa.login_flow import ACTION_NAME, Live
from identity.mfa.models import PolicyVersion, Publication
from portal import audit, auth0, runs, tenants
from portal.errors import Conflict, Refused, Unavailable
from portal.models import Run, RunEvent, Tenant
from portal.runs import Progress

RUN_KIND = "identity.publish_policy"
BUILD_SECONDS, BUILD_LOOK_SECONDS = 120.0, 1.0
State, Kind = Publication.State, Publication.Kind
VERBS = {Kind.PUBLISH: "mfa.publish", Kind.ROLL_BACK: "mfa.roll_back", Kind.REMOVE: "mfa.publish"}
TITLES = {Kind.PUBLISH: "Publish {} to {}", Kind.ROLL_BACK: "Roll back to {} in {}", Kind.REMOVE: "Remove {} from {}"}


def request(
    tenant: Tenant,
    version: PolicyVersion | None,
    *,
    kind: str,
    actor: User,
    expected: int | None,
    reason: str = "",
    ticket: str = "",
    accepted_lockouts: list[str] | None = None,
    customize: bool = False,
) -> Publication:
    """Ask for the act. `expected`: the live publication (its pk) that was on the screen; `version` None removes.

    `accepted_lockouts`: user ids of guarded people whose lock-out was confirmed in words. Raises Conflict where
    somebody else is publishing to the tenant now, or has done so since. The same request twice gives the first again.
    """
    reason = audit.required_reason(reason)
    tenants.require(tenant, f"mfa.{kind}")
    asked = Publication(
        tenant=tenant, version=version, kind=kind, requested_by=actor, reason=reason, ticket=ticket,
        accepted_lockouts=accepted_lockouts or [], customize=customize,
    )  # fmt: skip
    with transaction.atomic():
        if running := _lock(asked):
            return running
        live = login_flow.current_publication(tenant)
        if (live.pk if live else None) != expected:
            raise Conflict(_overtaken(tenant, live))
        title = TITLES[Kind(kind)].format(version or (live.version if live else "the policy"), tenant)[:200]
        asked.run = runs.request(RUN_KIND, actor=actor, title=title, tenant=tenant, publication=asked.pk)
        asked.save(update_fields=["run"])
    return asked


def carry_out(run: Run, progress: Progress) -> dict[str, Any]:
    """The run's handler."""
    publication = Publication.objects.select_related("tenant", "version__policy", "requested_by").get(run=run)
    act = _remove if publication.kind == Kind.REMOVE else _publish
    try:
        with audit.recorded(
            publication.requested_by, VERBS[Kind(publication.kind)], tenant=publication.tenant, target=ACTION_NAME,
            target_label=str(publication.version or ACTION_NAME), reason=publication.reason, ticket=publication.ticket,
        ) as entry:  # fmt: skip
            before = login_flow.live(publication.tenant)
            entry.before = _summary(before)
            after = act(publication, before, progress)
            entry.after = _summary(after) | {"difference": drafts.difference(before.deployed_code, after.deployed_code)}
    except BaseException as error:
        publication.break_off(error)
        raise
    return {"publication": publication.pk, "audit_event": entry.event.pk if entry.event else None, "place": after.place}


def unfinished(tenant: Tenant) -> Publication | None:
    """The tenant's latest act, where it did not reach its end."""
    last = Publication.objects.filter(tenant=tenant).select_related("version__policy", "run", "tenant").first()
    return last if last and last.state in (State.FAILED, State.CANCELLED, State.INTERRUPTED) else None


def was_live(tenant: Tenant, version: PolicyVersion) -> bool:
    ended = (State.REPLACED, State.REMOVED)
    return Publication.objects.filter(tenant=tenant, version=version, state__in=ended).exists()


def _lock(asked: Publication) -> Publication | None:
    """Store the request, which locks the tenant; or the same request that runs already. Raises Conflict."""
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
        return None
    except IntegrityError:
        running = Publication.objects.get(tenant=asked.tenant, state=State.RUNNING)
        same = ("requested_by_id", "version_id", "kind")
        if all(getattr(running, name) == getattr(asked, name) for name in same):
            return running
        raise Conflict(
            f"{running.requested_by.email} is changing the policy of {asked.tenant} at this moment "
            f"({running.get_kind_display()} {running.version or ''}). Wait for it to end, then look again."
        ) from None


def _overtaken(tenant: Tenant, live: Publication | None) -> str:
    if live is None:
        return f"The policy of {tenant} was taken away while this page was open. Look at it again before you go on."
    return (
        f"{live.requested_by.email} published {live.version} to {tenant} while this page was open. "
        "Nothing was changed by you. Look at it again before you go on."
    )


def _publish(publication: Publication, before: Live, progress: Progress) -> Live:
    tenant, version = publication.tenant, publication.version
    assert version is not None  # noqa: S101 (for the type checker)
    _check(publication, version, progress)
    progress.check()
    action_id = _write(tenant, before.action, version.code, progress)
    Publication.objects.filter(pk=publication.pk).update(action_id=action_id)
    _wait(tenant, action_id, lambda action: action.get("status") == "built", "built", progress)
    progress.check()
    _deploy(tenant, action_id, version.code, progress)
    _bind(tenant, action_id, progress)
    after = _read_back(tenant, action_id, version, before, progress)
    publication.end(State.LIVE, retires_to=State.REPLACED)
    return after


def _check(publication: Publication, version: PolicyVersion, progress: Progress) -> None:
    """Refuse what the tenant could not carry out, and what would lock out the people who could mend it."""
    tenant, rules = publication.tenant, policies.from_json(version.content)
    progress.say(f"Looking at the MFA settings of {tenant}.")
    settings = login_flow.mfa_settings(tenant)
    if publication.customize and not settings.customizable:
        auth0.request(tenant, "PATCH", "/tenants/settings", json={"customize_mfa_in_postlogin_action": True})
        progress.say("Switched on “Customize MFA Factors using Actions”.")
        settings = login_flow.mfa_settings(tenant)
    if problems := settings.problems(rules):
        raise Refused(" ".join(problems))
    for remark in settings.remarks(rules):
        progress.say(remark, level=RunEvent.Level.WARNING)
    people = guard.check(tenant, version.code, settings, actor=publication.requested_by)
    progress.say(f"Ran the code for {len(people)} of the people who must stay able to sign in.")
    out = [p for p in guard.locked_out(people) if p.user_id not in publication.accepted_lockouts]
    if out:
        named = " ".join(f"{person.email}: {person.verdict.words}" for person in out)
        raise Refused(f"People who must stay able to sign in would be locked out. {named}")


def _write(tenant: Tenant, action: dict[str, Any] | None, code: str, progress: Progress) -> str:
    """The draft of the Action with this code; its id."""
    if action is None:
        body = {"name": ACTION_NAME, "supported_triggers": [login_flow.TRIGGER], "code": code}
        made = auth0.request(tenant, "POST", "/actions/actions", json=body | {"runtime": login_flow.RUNTIME})
        progress.say(f"Created the Action “{ACTION_NAME}”.", action_id=made["id"])
        return str(made["id"])
    if sha256(action.get("code") or "") != sha256(code):
        auth0.request(tenant, "PATCH", f"/actions/actions/{auth0.segment(action['id'])}", json={"code": code})
        progress.say(f"Wrote the code into the Action “{ACTION_NAME}”.", action_id=action["id"])
    return str(action["id"])


def _deploy(tenant: Tenant, action_id: str, code: str, progress: Progress) -> None:
    if _runs(login_flow.read_action(tenant, action_id), code):
        progress.say("The code is deployed already.")
        return
    auth0.request(tenant, "POST", f"/actions/actions/{auth0.segment(action_id)}/deploy")
    _wait(tenant, action_id, lambda action: _runs(action, code), "deployed", progress)
    progress.say("Deployed it.")


def _bind(tenant: Tenant, action_id: str, progress: Progress) -> None:
    """Put the Action in front where it is not bound yet; bound, it keeps its place.

    In front, so that no Action before it can send the person elsewhere, or act, before MFA was passed.
    """
    bound = login_flow.bindings(tenant)
    if any((binding.get("action") or {}).get("id") == action_id for binding in bound):
        progress.say("The Action is in the login flow already; it keeps its place.")
        return
    own = {"ref": {"type": "action_id", "value": action_id}, "display_name": ACTION_NAME}
    auth0.request(tenant, "PATCH", login_flow.BINDINGS, json={"bindings": [own, *map(_reference, bound)]})
    progress.say(f"Put the Action in front of the login flow; {len(bound)} others follow in their order.")


def _read_back(tenant: Tenant, action_id: str, version: PolicyVersion, before: Live, progress: Progress) -> Live:
    """What the tenant says now, compared with what was wanted. Raises Conflict where it differs."""
    action = login_flow.read_action(tenant, action_id)
    after = Live(action, login_flow.bindings(tenant), version)
    if not _runs(action, version.code) or after.place is None:
        raise Conflict(f"{tenant} does not hold what was just written: somebody changes its Actions at the same time.")
    if _others(after, action_id) != _others(before, action_id) and before.action:
        progress.say("Other Actions of the login flow were changed meanwhile.", level=RunEvent.Level.WARNING)
    progress.say(f"Read back: {version} is live in {tenant}, at place {after.place} of the login flow.")
    return after


def _remove(publication: Publication, before: Live, progress: Progress) -> Live:
    """Take the Action out of the login flow. It stays in the tenant, so that it can be put back."""
    tenant, action = publication.tenant, before.action
    if action and before.place:
        rest = [b for b in before.bindings if (b.get("action") or {}).get("id") != action["id"]]
        auth0.request(tenant, "PATCH", login_flow.BINDINGS, json={"bindings": [_reference(b) for b in rest]})
        progress.say(f"Took the Action out of the login flow; {len(rest)} others keep their order.")
    else:
        progress.say("The Action is not in the login flow.")
    after = login_flow.live(tenant)
    if after.place:
        raise Conflict(f"The Action is in the login flow of {tenant} again: somebody changes it at the same time.")
    publication.end(State.REMOVED, retires_to=State.REMOVED)
    return after


def _wait(
    tenant: Tenant, action_id: str, reached: Callable[[dict[str, Any]], bool], what: str, progress: Progress
) -> None:
    """Look until Auth0 has built or deployed the Action. Raises Refused where it can't, Unavailable after the limit."""
    deadline = time.monotonic() + BUILD_SECONDS
    while not reached(action := login_flow.read_action(tenant, action_id)):
        if action.get("status") == "failed":
            errors = "; ".join(str(error.get("msg", error)) for error in action.get("errors") or [])
            raise Refused(f"{tenant} could not build the Action. {errors}")
        if time.monotonic() > deadline:
            raise Unavailable(f"{tenant} has not {what} the Action in {BUILD_SECONDS:.0f} s. Publish again later.")
        progress.check()
        time.sleep(BUILD_LOOK_SECONDS)


def _reference(binding: dict[str, Any]) -> dict[str, Any]:
    return {"ref": {"type": "binding_id", "value": binding["id"]}, "display_name": binding["display_name"]}


def _others(flow: Live, action_id: str) -> list[str]:
    return [b["id"] for b in flow.bindings if (b.get("action") or {}).get("id") != action_id]


def _runs(action: dict[str, Any], code: str) -> bool:
    return sha256((action.get("deployed_version") or {}).get("code") or "") == sha256(code)


def _summary(flow: Live) -> dict[str, Any]:
    """For the audit trail: code by its hash."""
    return {
        "version": str(flow.version) if flow.version else None,
        "code_sha256": sha256(flow.deployed_code) if flow.deployed_code else None,
        "place_in_login_flow": flow.place,
    }
