"""Keys of the tenant: signing, the customer's own, encryption, and keys of network lists."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import keys
from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, Id, Kind, Unique
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

ROOT, OWN_ROOT, MASTER, ENCRYPTION = (
    "environment-root-key",
    "customer-provided-root-key",
    "tenant-master-key",
    "tenant-encryption-key",
)
WRAPPING_KEY_BITS = 2048


def _put_key(tenant: Tenant, type: str, state: str, parent_kid: str | None) -> Document:
    now, kid = tenant.timestamp(), str(uuid.uuid4())
    key = {"kid": kid, "type": type, "state": state, "parent_kid": parent_kid, "public_key": None}
    return tenant.store.put("encryption_keys", kid, {**key, "created_at": now, "updated_at": now})


def _change_key(tenant: Tenant, key: Document, **fields: Any) -> Document:
    return tenant.store.put("encryption_keys", key["kid"], {**key, **fields, "updated_at": tenant.timestamp()})


def _active(tenant: Tenant, *types: str) -> list[Document]:
    return [key for key in tenant.store.find("encryption_keys", state="active") if key["type"] in types]


def fill_encryption_keys(tenant: Tenant) -> None:
    """The keys of a new tenant; each wraps the next."""
    _fill_below(tenant, _put_key(tenant, ROOT, "active", None))


def _fill_below(tenant: Tenant, root: Document) -> Document:
    master = _put_key(tenant, MASTER, "active", root["kid"])
    _put_key(tenant, ENCRYPTION, "active", master["kid"])
    return master


def _change_root(tenant: Tenant, root: Document) -> None:
    """From now on this key wraps the master key; the root before it is retired."""
    for old in _active(tenant, ROOT, OWN_ROOT):
        if old["kid"] != root["kid"]:
            _change_key(tenant, old, state="deactivated")
    for master in _active(tenant, MASTER):
        _change_key(tenant, master, parent_kid=root["kid"])


def _encryption(call: Call) -> Document:
    kid = call.params["kid"]
    found = call.store.get("encryption_keys", kid)
    if found is not None:
        return found
    try:
        uuid.UUID(kid)
    except ValueError:
        raise ApiError(400, "Invalid UUID format in uri.", "invalid_uri") from None
    raise ApiError(404, "The key does not exist.", "inexistent_encryption_key")


def _waiting(call: Call, refusal: str) -> Document:
    """The key, which must still wait for its material. Raises ApiError 409."""
    key = _encryption(call)
    if key["type"] != OWN_ROOT or key["state"] != "pre-activation":
        raise ApiError(409, f"Failed precondition. {refusal}", "failed_precondition")
    return key


@operation("GET", "/keys/encryption")
def list_encryption(call: Call) -> Any:
    return crud.listed(call, list(call.store.all("encryption_keys")), "keys", "offset")


@operation("POST", "/keys/encryption")
def create_encryption(call: Call) -> Reply:
    kind = call.body["type"]
    if call.store.first("encryption_keys", type=kind, state="pre-activation"):
        raise ApiError(409, "Encryption key has already been created.", "encryption_key_conflict")
    return Reply(201, _put_key(call.tenant, kind, "pre-activation", None))


@operation("GET", "/keys/encryption/{kid}")
def read_encryption(call: Call) -> Document:
    return _encryption(call)


@operation("POST", "/keys/encryption/{kid}/wrapping-key")
def wrapping_key(call: Call) -> Reply:
    key = _waiting(call, "Create new encryption key without the key material first.")
    public = rsa.generate_private_key(public_exponent=65537, key_size=WRAPPING_KEY_BITS).public_key()
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, kind).decode()
    _change_key(call.tenant, key, public_key=pem)
    return Reply(201, {"public_key": pem, "algorithm": "CKM_RSA_AES_KEY_WRAP"})


@operation("POST", "/keys/encryption/{kid}")
def import_encryption(call: Call) -> Reply:
    """The material itself is of no use here: nothing is encrypted with it."""
    key = _waiting(call, "Key import not in progress.")
    if key["public_key"] is None:
        raise ApiError(409, "Failed precondition. Unable to find the wrapping key.", "failed_precondition")
    root = _change_key(call.tenant, key, state="active")
    _change_root(call.tenant, root)
    return Reply(201, root)


@operation("DELETE", "/keys/encryption/{kid}")
def destroy_encryption(call: Call) -> Reply:
    """Only what the customer provided can be taken back; then a key of the environment is the root again."""
    key = _encryption(call)
    if key["type"] != OWN_ROOT:
        raise ApiError(400, "Only a customer-provided root key can be deleted.", "invalid_operation")
    _change_key(call.tenant, key, state="destroyed")
    if key["state"] == "active":
        _change_root(call.tenant, _put_key(call.tenant, ROOT, "active", None))
    return Reply(204)


@operation("POST", "/keys/encryption/rekey")
def rekey(call: Call) -> Reply:
    """New keys below the root. Those that were active are kept, deactivated; the new master key wraps all of them."""
    retired = _active(call.tenant, ENCRYPTION)
    for key in _active(call.tenant, MASTER):
        _change_key(call.tenant, key, state="deactivated")
    roots = _active(call.tenant, ROOT, OWN_ROOT) or [_put_key(call.tenant, ROOT, "active", None)]
    master = _fill_below(call.tenant, roots[0])
    for key in retired:
        _change_key(call.tenant, key, state="deactivated", parent_kid=master["kid"])
    return Reply(204)


# --- keys that verify signed requests in network access control lists ------------------------------------------------


def _fingerprint(call: Call, key: Document) -> Document:
    """The key is kept and never shown: a fingerprint stands for it."""
    if "value" not in key:
        return key
    try:
        raw = base64.b64decode(key["value"], validate=True)
    except binascii.Error:
        raise ApiError(400, "The value must be Base64.", "invalid_body") from None
    rest = {name: value for name, value in key.items() if name != "value"}
    return {**rest, "fingerprint": hashlib.sha256(raw).hexdigest(), "_value": key["value"]}


NETWORK_ACL_KEYS = Kind(
    path="/keys/network-acls",
    store="network_acl_keys",
    envelope="keys",
    id=Id("ack_", 22, BASE58),
    missing=("The key does not exist.", "inexistent_network_acl_key"),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    unique=(Unique(("name",), "A key with this name already exists.", "network_acl_key_conflict"),),
    paging="envelope",
    before=_fingerprint,
)


@operation("GET", "/keys/network-acls")
def list_network_acl_keys(call: Call) -> Document:
    """The newest first."""
    return {"keys": list(call.store.all("network_acl_keys"))[::-1]}


crud.register(NETWORK_ACL_KEYS)
