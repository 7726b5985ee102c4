"""Keys of the tenant: signing, the customer's own, encryption, and keys of network lists."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox import keys
from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.tenant import Tenant


@operation("GET", "/keys/signing")
def list_signing(call: Call) -> list[dict[str, Any]]:
    return keys.describe(call.tenant)


@operation("GET", "/keys/signing/{kid}")
def read_signing(call: Call) -> dict[str, Any]:
    return keys.describe_one(call.tenant, call.params["kid"])


@operation("POST", "/keys/signing/rotate")
def rotate(call: Call) -> Reply:
    return Reply(201, keys.rotate(call.tenant))


@operation("PUT", "/keys/signing/{kid}/revoke")
def revoke(call: Call) -> dict[str, Any]:
    return keys.revoke(call.tenant, call.params["kid"])


# --- the customer's own signing keys ---------------------------------------------------------------------------------


@operation("GET", "/keys/custom-signing")
def read_custom(call: Call) -> Document:
    found = call.store.get("settings", "settings/keys/custom-signing")
    if found is None:
        raise ApiError(404, "No custom signing keys found.", "inexistent_custom_signing_keys")
    return found


@operation("PUT", "/keys/custom-signing")
def replace_custom(call: Call) -> Document:
    return call.store.put("settings", "settings/keys/custom-signing", {"keys": (call.body or {})["keys"]})


@operation("DELETE", "/keys/custom-signing")
def delete_custom(call: Call) -> Reply:
    call.store.remove("settings", "settings/keys/custom-signing")
    return Reply(204)


# --- encryption ------------------------------------------------------------------------------------------------------


HIERARCHY = ("environment-root-key", "tenant-master-key", "tenant-encryption-key")
"""Types of keys; each wraps the next."""


def fill_encryption_keys(tenant: Tenant) -> None:
    """The active keys of a tenant; those that were active before are kept, deactivated."""
    now, parent = tenant.timestamp(), None
    for kind in HIERARCHY:
        kid = str(uuid.uuid4())
        key = {"kid": kid, "type": kind, "state": "active", "parent_kid": parent, "public_key": None}
        tenant.store.put("encryption_keys", kid, {**key, "created_at": now, "updated_at": now})
        parent = kid


def _encryption(call: Call) -> Document:
    found = call.store.get("encryption_keys", call.params["kid"])
    if found is None:
        raise ApiError(404, "The encryption key does not exist.", "inexistent_encryption_key")
    return found


@operation("GET", "/keys/encryption")
def list_encryption(call: Call) -> Any:
    return crud.listed(call, list(call.store.all("encryption_keys")), "keys", "offset")


@operation("POST", "/keys/encryption")
def create_encryption(call: Call) -> Reply:
    now, kid = call.tenant.timestamp(), str(uuid.uuid4())
    document = {
        "kid": kid,
        "type": (call.body or {}).get("type", "customer-provided-root-key"),
        "state": "pre-activation",
        "parent_kid": None,
        "public_key": None,
        "created_at": now,
        "updated_at": now,
    }
    return Reply(201, call.store.put("encryption_keys", kid, document))


@operation("GET", "/keys/encryption/{kid}")
def read_encryption(call: Call) -> Document:
    return _encryption(call)


@operation("POST", "/keys/encryption/{kid}")
def import_encryption(call: Call) -> Reply:
    new = {**_encryption(call), "state": "active", "updated_at": call.tenant.timestamp()}
    return Reply(201, call.store.put("encryption_keys", new["kid"], new))


@operation("DELETE", "/keys/encryption/{kid}")
def destroy_encryption(call: Call) -> Reply:
    old = _encryption(call)
    call.store.put("encryption_keys", old["kid"], {**old, "state": "destroyed", "updated_at": call.tenant.timestamp()})
    return Reply(204)


@operation("POST", "/keys/encryption/{kid}/wrapping-key")
def wrapping_key(call: Call) -> Reply:
    _encryption(call)
    public = keys.describe(call.tenant)[0]["cert"]
    return Reply(201, {"public_key": public, "algorithm": "CKM_RSA_AES_KEY_WRAP"})


@operation("POST", "/keys/encryption/rekey")
def rekey(call: Call) -> Reply:
    for key in call.store.all("encryption_keys"):
        if key["state"] == "active":
            retired = {**key, "state": "deactivated", "updated_at": call.tenant.timestamp()}
            call.store.put("encryption_keys", key["kid"], retired)
    fill_encryption_keys(call.tenant)
    return Reply(204)
