"""Keys that encrypt what a tenant holds, and keys that verify signed requests."""

from __future__ import annotations

import base64
from typing import Any

from tests.sandbox.management import Management

ENCRYPTION = "/keys/encryption"


def active(management: Management) -> dict[str, dict[str, Any]]:
    """By type; each wraps the next."""
    return {key["type"]: key for key in management.get(ENCRYPTION) if key["state"] == "active"}


def imported(management: Management) -> str:
    """The path of a root key of one's own that has just become the active one."""
    path = f"{ENCRYPTION}/{management.post(ENCRYPTION, {'type': 'customer-provided-root-key'})['kid']}"
    assert "BEGIN PUBLIC KEY" in management.post(f"{path}/wrapping-key")["public_key"]
    management.post(path, {"wrapped_key": "d3JhcHBlZA=="})
    return path


def test_rekeying_makes_new_keys_below_the_same_root(management: Management) -> None:
    before = active(management)
    assert management.ask("POST", f"{ENCRYPTION}/rekey").status_code == 204
    after = active(management)
    assert after["environment-root-key"] == before["environment-root-key"]
    assert after["tenant-master-key"]["parent_kid"] == before["environment-root-key"]["kid"]
    retired = management.get(f"{ENCRYPTION}/{before['tenant-encryption-key']['kid']}")
    assert retired["state"] == "deactivated"
    assert retired["parent_kid"] == after["tenant-master-key"]["kid"]


def test_a_root_key_of_ones_own_replaces_the_root_until_it_is_deleted(management: Management) -> None:
    path = imported(management)
    own = management.get(path)
    assert own["state"] == "active"
    assert "environment-root-key" not in active(management)
    assert active(management)["tenant-master-key"]["parent_kid"] == own["kid"]
    management.delete(path)
    assert management.get(path)["state"] == "destroyed"
    assert active(management)["tenant-master-key"]["parent_kid"] == active(management)["environment-root-key"]["kid"]


def test_the_steps_of_an_import_have_an_order(management: Management) -> None:
    created = management.post(ENCRYPTION, {"type": "customer-provided-root-key"})
    management.refused("POST", ENCRYPTION, {"type": "customer-provided-root-key"}, status=409)
    path = f"{ENCRYPTION}/{created['kid']}"
    management.refused("POST", path, {"wrapped_key": "d3JhcHBlZA=="}, status=409)
    management.refused(
        "POST", f"{ENCRYPTION}/{active(management)['tenant-master-key']['kid']}/wrapping-key", status=409
    )
    assert management.refused("GET", f"{ENCRYPTION}/nothing", status=400)["errorCode"] == "invalid_uri"


def test_only_a_root_key_of_ones_own_can_be_deleted(management: Management) -> None:
    kid = active(management)["tenant-encryption-key"]["kid"]
    management.refused("DELETE", f"{ENCRYPTION}/{kid}", status=400)


def test_a_key_that_verifies_requests_is_shown_by_its_fingerprint(management: Management) -> None:
    value = base64.b64encode(b"hush" * 8).decode()
    key = management.post("/keys/network-acls", {"name": "edge", "alg": "hmac-sha256", "value": value})
    assert len(key["fingerprint"]) == 64
    assert value not in str(key)
    management.refused("POST", "/keys/network-acls", {"name": "edge", "alg": "hmac-sha256", "value": value}, status=409)
    management.refused("POST", "/keys/network-acls", {"name": "x", "alg": "hmac-sha256", "value": "%"}, status=400)
    later = management.post("/keys/network-acls", {"name": "later", "alg": "hmac-sha256", "value": value})
    assert [one["id"] for one in management.get("/keys/network-acls")["keys"]] == [later["id"], key["id"]]
    management.delete(f"/keys/network-acls/{key['id']}")
    management.refused("GET", f"/keys/network-acls/{key['id']}", status=404)
