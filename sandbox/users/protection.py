"""Blocks from attack protection: /user-blocks and /anomaly, and the memory of known devices."""

from __future__ import annotations

import ipaddress
from typing import Any

from sandbox import logs
from sandbox.errors import ApiError
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.users import records


def _blocks_of(call: Call, user: Document) -> list[Document]:
    identifiers = {user.get(field) for field in records.INDEXED} - {None}
    found = [*call.store.find("user_blocks", user_id=user["user_id"])]
    known = {block["id"] for block in found}
    for identifier in identifiers:
        for block in call.store.find("user_blocks", identifier=identifier):
            if block["id"] not in known and _same_connection(user, block):
                found.append(block)
                known.add(block["id"])
    return found


def _same_connection(user: Document, block: Document) -> bool:
    return any(identity["connection"] == block.get("connection") for identity in user["identities"])


def _shown(call: Call, blocks: list[Document]) -> dict[str, Any]:
    if call.query.get("consider_brute_force_enablement") == "true" and not _enforced(call):
        blocks = []
    return {
        "blocked_for": [{k: b[k] for k in ("identifier", "ip", "connection") if b.get(k) is not None} for b in blocks]
    }


def _enforced(call: Call) -> bool:
    from sandbox.login import configuration

    settings = configuration.brute_force(call.tenant)
    return bool(settings["enabled"]) and "block" in settings["shields"]


def _release(call: Call, blocks: list[Document]) -> None:
    from sandbox.login import attack_protection

    for block in blocks:
        target = attack_protection.Target(block["identifier"], block.get("ip") or "", block.get("connection") or "")
        attack_protection.release(call.tenant, target)
        call.store.remove("user_blocks", block["id"])
        logs.write(
            call.tenant,
            "ublkdu",
            user_id=block.get("user_id"),
            user_name=block["identifier"],
            connection=block.get("connection"),
        )


def _by_identifier(call: Call) -> list[Document]:
    return call.store.find("user_blocks", identifier=call.query["identifier"].strip().lower())


@operation("GET", "/user-blocks")
def list_by_identifier(call: Call) -> Any:
    return _shown(call, _by_identifier(call))


@operation("DELETE", "/user-blocks")
def release_by_identifier(call: Call) -> Reply:
    _release(call, _by_identifier(call))
    return Reply(204)


@operation("GET", "/user-blocks/{id}")
def list_of_user(call: Call) -> Any:
    return _shown(call, _blocks_of(call, records.get(call.tenant, call.params["id"])))


@operation("DELETE", "/user-blocks/{id}")
def release_user(call: Call) -> Reply:
    _release(call, _blocks_of(call, records.get(call.tenant, call.params["id"])))
    return Reply(204)


def _address(call: Call) -> str:
    try:
        return str(ipaddress.ip_address(call.params["id"]))
    except ValueError:
        raise ApiError(
            400,
            "Path validation error: 'Object didn't pass validation for format anomaly-ip-format: "
            f"{call.params['id']}' on property id (IP address to check.).",
            "invalid_uri",
        ) from None


def _blocked_addresses(call: Call) -> Any:
    from sandbox.login import attack_protection

    return attack_protection, _address(call)


@operation("GET", "/anomaly/blocks/ips/{id}")
def check_address(call: Call) -> Reply:
    protection, address = _blocked_addresses(call)
    if call.store.get("blocked_addresses", address) is None and not protection.ip_throttled(call.tenant, address):
        raise ApiError(404, "IP address specified is not currently blocked.", "ip_not_blocked")
    return Reply(200, {})


@operation("DELETE", "/anomaly/blocks/ips/{id}")
def release_address(call: Call) -> Reply:
    from sandbox.login.transient import transient

    address = _address(call)
    call.store.remove("blocked_addresses", address)
    transient(call.tenant, "failed addresses").pop(address)
    return Reply(204)


@operation("POST", "/users/{id}/risk-assessments/clear")
def clear_risk(call: Call) -> Reply:
    user, body = records.get(call.tenant, call.params["id"]), call.body or {}
    records.connection_named(call.tenant, body.get("connection"))
    if "new-device" in (body.get("assessors") or ()):
        call.store.remove("known_devices", user["user_id"])
    return Reply(204)
