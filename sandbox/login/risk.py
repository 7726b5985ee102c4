"""How unusual a login is: what adaptive MFA decides by, and what Actions see as riskAssessment."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.login import configuration
from sandbox.login.subject import Login
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
    device, agent = login.device in known["devices"], _agent(login) in known["agents"]
    details = {"device": _known(device), "useragent": _known(agent)}
    if device and agent:
        return {"confidence": "high", "code": "match", "details": details}
    if device or agent:
        return {"confidence": "medium", "code": "partial_match", "details": details}
    return {"confidence": "low", "code": "no_match", "details": details}


def remember_device(login: Login) -> None:
    """After a finished login: this browser is known from now on."""
    store = login.tenant.store
    known = store.get("known_devices", login.user_id) or {"user_id": login.user_id, "devices": [], "agents": []}
    devices = [d for d in known["devices"] if d != login.device][-_MOST_DEVICES:]
    agents = [a for a in known["agents"] if a != _agent(login)][-_MOST_DEVICES:]
    if login.device:
        new = {"user_id": login.user_id, "devices": [*devices, login.device], "agents": [*agents, _agent(login)]}
        country = login.visitor.geoip.get("countryCode") or known.get("country")
        store.put("known_devices", login.user_id, {**new, "country": country})


def _untrusted_ip(login: Login) -> dict[str, Any]:
    details = {"ip": login.visitor.ip}
    return {"confidence": "high", "code": "not_found_on_deny_list", "details": details}


def _agent(login: Login) -> str:
    return hashlib.sha256(login.visitor.user_agent.encode()).hexdigest()[:16]


def _known(is_known: bool) -> str:
    return "known" if is_known else "unknown"
