"""Brute-force protection and suspicious IP throttling, with the blocks that /user-blocks shows and clears.

A block is a document of the kind `user_blocks`: {"id", "user_id", "identifier", "ip", "connection", "created_at"};
without an "ip" where the tenant counts per identifier alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import logs, mailbox
from sandbox.errors import OAuthError
from sandbox.login import configuration, emails
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

WINDOW_SECONDS = 30 * 86_400
_UNBLOCK_LINK_SECONDS = 86_400.0
SUSPICIOUS = (
    "We have detected suspicious login behavior and further attempts will be blocked. Please contact the administrator."
)


@dataclass(frozen=True)
class Target:
    """Whom a sign-in attempt is aimed at, and where it comes from."""

    identifier: str
    ip: str
    connection: str
    user_id: str | None = None

    def counted_by(self, tenant: Tenant) -> str:
        if configuration.brute_force(tenant)["mode"] == "count_per_identifier":
            return f"{self.connection} {self.identifier}"
        return f"{self.connection} {self.identifier} {self.ip}"


def blocked(tenant: Tenant, target: Target) -> bool:
    """Whether sign-in is refused just now, whatever the password."""
    settings = configuration.brute_force(tenant)
    if not settings["enabled"] or "block" not in settings["shields"] or target.ip in settings["allowlist"]:
        return False
    return any(block.get("ip") in (None, target.ip) for block in blocks(tenant, target))


def blocks(tenant: Tenant, target: Target) -> list[Document]:
    found = tenant.store.find("user_blocks", identifier=target.identifier)
    return [block for block in found if block.get("connection") == target.connection]


def failed(tenant: Tenant, target: Target) -> None:
    """Count a wrong password; too many make a block."""
    settings = configuration.brute_force(tenant)
    if not settings["enabled"] or target.ip in settings["allowlist"]:
        return
    counts = transient(tenant, "failed sign-ins")
    key = target.counted_by(tenant)
    count = (counts.get(key) or 0) + 1
    counts.put(key, count, WINDOW_SECONDS)
    if count >= settings["max_attempts"] and not blocked(tenant, target):
        _block(tenant, target, settings)


def succeeded(tenant: Tenant, target: Target) -> None:
    transient(tenant, "failed sign-ins").pop(target.counted_by(tenant))


def release(tenant: Tenant, target: Target) -> None:
    """Lift the blocks on an identifier: after a password change, or by the link in the e-mail."""
    for block in blocks(tenant, target):
        tenant.store.remove("user_blocks", block["id"])
    counts = transient(tenant, "failed sign-ins")
    for key in counts.names():
        if key.startswith(f"{target.connection} {target.identifier}"):
            counts.pop(key)


def _block(tenant: Tenant, target: Target, settings: Document) -> None:
    id = new_id("blk_")
    block: Document = {
        "id": id,
        "identifier": target.identifier,
        "connection": target.connection,
        "created_at": tenant.timestamp(),
    }
    if settings["mode"] == "count_per_identifier_and_ip":
        block["ip"] = target.ip
    if target.user_id:
        block["user_id"] = target.user_id
    tenant.store.put("user_blocks", id, block)
    kind = "limit_wc" if "ip" in block else "limit_sul"
    logs.write(
        tenant,
        kind,
        ip=target.ip,
        user_name=target.identifier,
        user_id=target.user_id,
        connection=target.connection,
        details={"identifier": target.identifier},
    )
    if "user_notification" in settings["shields"] and target.user_id:
        _notify(tenant, target)


def _notify(tenant: Tenant, target: Target) -> None:
    user = tenant.store.get("users", target.user_id or "") or {}
    if not user.get("email"):
        return
    code = new_id("", 32)
    transient(tenant, "unblock links").put(code, target, _UNBLOCK_LINK_SECONDS)
    link = f"{tenant.browser_url}u/unblock?ticket={code}"
    mail = emails.render(tenant, "blocked_account", user, link)
    mailbox.send(tenant, user["email"], "blocked_account", mail.subject, mail.html, mail.text, link)


def ip_throttled(tenant: Tenant, ip: str) -> bool:
    """Whether this address has failed too often, over all accounts."""
    if not _throttles(tenant, ip):
        return False
    failures = transient(tenant, "failed addresses").get(ip) or 0
    return bool(failures >= _stage(tenant, "pre-login")["max_attempts"])


def _throttles(tenant: Tenant, ip: str) -> bool:
    settings = configuration.suspicious_ip(tenant)
    return bool(settings["enabled"]) and "block" in settings["shields"] and ip not in settings["allowlist"]


def _stage(tenant: Tenant, name: str) -> Document:
    found: Document = configuration.suspicious_ip(tenant)["stage"][name]
    return found


def refuse_exchanges(tenant: Tenant, ip: str) -> None:
    """Raises OAuthError 429 where too many subject tokens from this address were none."""
    most = _stage(tenant, "pre-custom-token-exchange")["max_attempts"]
    if _throttles(tenant, ip) and _failed_exchanges(tenant, ip) + 1 > most:
        raise OAuthError(429, "too_many_attempts", SUSPICIOUS)


def exchange_failed(tenant: Tenant, ip: str) -> None:
    count, now = _failed_exchanges(tenant, ip) + 1, tenant.now()
    transient(tenant, "failed exchanges").put(ip, (count, now), count * _pause_seconds(tenant))


def _failed_exchanges(tenant: Tenant, ip: str) -> float:
    """One is forgiven in each pause."""
    count, since = transient(tenant, "failed exchanges").get(ip) or (0.0, 0.0)
    return float(max(0.0, count - (tenant.now() - since) / _pause_seconds(tenant)))


def _pause_seconds(tenant: Tenant) -> float:
    return float(_stage(tenant, "pre-custom-token-exchange")["rate"]) / 1000


def ip_failed(tenant: Tenant, ip: str) -> None:
    failures = transient(tenant, "failed addresses")
    count = (failures.get(ip) or 0) + 1
    failures.put(ip, count, 86_400.0)
    if count == _stage(tenant, "pre-login")["max_attempts"]:
        logs.write(tenant, "limit_mu", ip=ip)
