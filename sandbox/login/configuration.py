"""What the tenant is configured to do at login: one reader for the settings that other parts write."""

from __future__ import annotations

from typing import Any

from sandbox.store import Document
from sandbox.tenant import Tenant


def setting(tenant: Tenant, path: str) -> Document:
    """The singleton behind an API path such as "tenants/settings"; {} while nobody has written it."""
    found = tenant.store.get("settings", f"settings/{path}") or tenant.store.get("settings", path)
    return found if isinstance(found, dict) else {}


def tenant_settings(tenant: Tenant) -> Document:
    return setting(tenant, "tenants/settings")


def flag(tenant: Tenant, name: str, default: bool = False) -> bool:
    return bool((tenant_settings(tenant).get("flags") or {}).get(name, default))


def friendly_name(tenant: Tenant) -> str:
    return tenant_settings(tenant).get("friendly_name") or tenant.name


def identifier_first(tenant: Tenant) -> bool:
    return bool(setting(tenant, "prompts").get("identifier_first", False))


def mfa_policy(tenant: Tenant) -> str:
    """ "" (never), "all-applications" or "confidence-score"."""
    stored: Any = tenant.store.get("settings", "settings/guardian/policies")
    if isinstance(stored, dict):
        stored = next((value for value in stored.values() if isinstance(value, list)), [])
    return stored[0] if stored else ""


def factor_enabled(tenant: Tenant, guardian_name: str) -> bool:
    return bool(setting(tenant, f"guardian/factors/{guardian_name}").get("enabled"))


def remember_browser(tenant: Tenant) -> Document:
    """Whether the box to remember the browser is shown and ticked, and for how many seconds it is remembered."""
    defaults = {
        "display_remember_me_checkbox": True,
        "remember_me_default_value": False,
        "mfa_session_inactivity_timeout": 7 * 86_400,
        "mfa_session_overall_timeout": 30 * 86_400,
    }
    return {**defaults, **setting(tenant, "guardian/settings")}


def brute_force(tenant: Tenant) -> Document:
    defaults = {
        "enabled": True,
        "shields": ["block", "user_notification"],
        "mode": "count_per_identifier_and_ip",
        "allowlist": [],
        "max_attempts": 10,
    }
    return {**defaults, **setting(tenant, "attack-protection/brute-force-protection")}


def suspicious_ip(tenant: Tenant) -> Document:
    """`stage`: {"pre-login" | "pre-custom-token-exchange": {"max_attempts", "rate" (milliseconds)}}."""
    stages = {
        "pre-login": {"max_attempts": 100, "rate": 864_000},
        "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600_000},
    }
    found: Document = {"enabled": True, "shields": ["block"], "allowlist": []}
    found |= setting(tenant, "attack-protection/suspicious-ip-throttling")
    return {**found, "stage": {**stages, **(found.get("stage") or {})}}


def session_lifetimes_seconds(tenant: Tenant) -> tuple[float, float]:
    """How long a session lasts at most, and how long without activity."""
    settings = tenant_settings(tenant)
    whole = float(settings.get("session_lifetime") or settings.get("session_lifetime_in_minutes", 0) / 60 or 168)
    idle = float(settings.get("idle_session_lifetime") or 72)
    return whole * 3600, min(whole, idle) * 3600


def enabled_connections(tenant: Tenant, client: Document) -> list[Document]:
    """The connections that an application may sign in with, in the order of their creation."""
    id = client["client_id"]
    return [
        connection
        for connection in tenant.store.all("connections")
        if id in (connection.get("enabled_clients") or ()) or connection.get("is_domain_connection")
    ]


def connection_named(tenant: Tenant, name: str) -> Document | None:
    return tenant.store.first("connections", name=name) if name else None


def is_database(connection: Document) -> bool:
    return bool(connection.get("strategy") == "auth0")


def option(connection: Document, name: str, default: Any = None) -> Any:
    return (connection.get("options") or {}).get(name, default)
