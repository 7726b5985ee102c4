"""How unusual a login is: what adaptive MFA decides by, and what Actions see as riskAssessment."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.login import configuration
from sandbox.login.subject import Login
from sandbox.store import Document
from sandbox.tenant import Tenant

_MOST_DEVICES = 20


def assessed(tenant: Tenant) -> bool:
    if configuration.mfa_policy(tenant) == "confidence-score":
        return True
    return bool(configuration.setting(tenant, "risk-assessments/settings").get("enabled"))


def assess(login: Login) -> dict[str, Any]:
    """event.authentication.riskAssessment; the whole is as bad as its worst part."""
    assessments = {
        "NewDevice": _new_device(login),
        "ImpossibleTravel": _impossible_travel(login),
        "UntrustedIP": _untrusted_ip(login),
    }
    judged = [a["confidence"] for a in assessments.values() if a["confidence"] != "neutral"]
    worst = min(judged, key=["low", "medium", "high"].index, default="neutral")
    return {"confidence": worst, "version": "1", "assessments": assessments}


def _impossible_travel(login: Login) -> dict[str, Any]:
    """Travel is judged by country alone: distances are unknown on one machine."""
    country = login.visitor.geoip.get("countryCode")
    if not country:
        return {"confidence": "neutral", "code": "missing_geoip"}
    last = (login.tenant.store.get("known_devices", login.user_id) or {}).get("country")
    if not last:
        return {"confidence": "neutral", "code": "initial_login"}
    if last == country:
        return {"confidence": "high", "code": "minimal_travel_from_last_login"}
    return {"confidence": "low", "code": "impossible_travel_from_last_login"}


def _new_device(login: Login) -> dict[str, Any]:
    known = login.tenant.store.get("known_devices", login.user_id)
    if known is None:
        first = not login.user.get("logins_count")
        return {"confidence": "low", "code": "initial_login" if first else "no_device_history"}
    since = login.tenant.now() - _memory_seconds(login.tenant)
    device = _seen(known, "devices").get(login.device, 0) > since
    agent = _seen(known, "agents").get(_agent(login), 0) > since
    details = {"device": _known(device), "useragent": _known(agent)}
    if device and agent:
        return {"confidence": "high", "code": "match", "details": details}
    if device or agent:
        return {"confidence": "medium", "code": "partial_match", "details": details}
    return {"confidence": "low", "code": "no_match", "details": details}


def remember_device(login: Login) -> None:
    """After a finished login: this browser is known from now on."""
    store, now = login.tenant.store, login.tenant.now()
    known = store.get("known_devices", login.user_id) or {}
    if login.device:
        new = {
            "user_id": login.user_id,
            "devices": _with(_seen(known, "devices"), login.device, now),
            "agents": _with(_seen(known, "agents"), _agent(login), now),
        }
        country = login.visitor.geoip.get("countryCode") or known.get("country")
        store.put("known_devices", login.user_id, {**new, "country": country})


def _seen(known: Document, kind: str) -> dict[str, float]:
    """When each was seen last. Older states kept names alone: these are forgotten."""
    found = known.get(kind)
    return found if isinstance(found, dict) else {}


def _with(known: dict[str, float], name: str, now: float) -> dict[str, float]:
    """When each was seen last, the newest last."""
    others = [(other, at) for other, at in known.items() if other != name]
    return dict([*others, (name, now)][-_MOST_DEVICES:])


def _memory_seconds(tenant: Tenant) -> float:
    """How long a device stays known."""
    days = configuration.setting(tenant, "risk-assessments/settings/new-device").get("remember_for") or 30
    return float(days) * 86_400


def _untrusted_ip(login: Login) -> dict[str, Any]:
    return {"confidence": "high", "code": "not_found_on_deny_list"}


def _agent(login: Login) -> str:
    return hashlib.sha256(login.visitor.user_agent.encode()).hexdigest()[:16]


def _known(is_known: bool) -> str:
    return "known" if is_known else "unknown"
