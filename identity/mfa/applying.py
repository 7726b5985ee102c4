"""The run that writes a publication to the tenant's login flow.

It may be started again at any time: every step looks first and does only what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from identity.mfa import drafts, guard, login_flow
from identity.mfa import policy as policies
from identity.mfa.generate import sha256
from identity.mfa.login_flow import ACTION_NAME, Live
from identity.mfa.models import PolicyVersion, Publication
from identity.mfa.publish import VERBS, Kind, State, about
from portal import audit, auth0
from portal.errors import Conflict, Refused, Unavailable
from portal.models import Run, RunEvent, Tenant
from portal.runs import Progress

BUILD_SECONDS, BUILD_LOOK_SECONDS = 120.0, 1.0


def carry_out(run: Run, progress: Progress) -> dict[str, Any]:
    """The run's handler."""
    found = Publication.objects.select_related("tenant", "version__policy", "requested_by", "decided_by")
    publication = found.get(run=run)
    act = _remove if publication.kind == Kind.REMOVE else _publish
    try:
        with audit.recorded(
            publication.requested_by, VERBS[Kind(publication.kind)], reason=publication.reason,
            ticket=publication.ticket, **about(publication),
        ) as entry:  # fmt: skip
            before = login_flow.live(publication.tenant)
            entry.before = _summary(before)
            after = act(publication, before, progress)
            entry.after = _summary(after) | {"difference": drafts.difference(before.deployed_code, after.deployed_code)}
    except BaseException as error:
        publication.break_off(error)
        raise
    return {"publication": publication.pk, "audit_event": entry.event.pk if entry.event else None, "place": after.place}


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
    people = guard.check(tenant, version.code, settings, actors=publication.people)
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
