"""Keys and certificates with which an application signs in."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.applications import CLIENTS
from sandbox.kinds.certificates import rsa_thumbprint, subject_lines, thumbprint_sha256
from sandbox.kinds.kind import BASE58
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.tenant import new_id

MOST = 2000


@operation("GET", "/clients/{client_id}/credentials")
def list_credentials(call: Call) -> list[Document]:
    crud.find(CLIENTS, call, call.params["client_id"])
    return [_shown(c) for c in call.store.find("client_credentials", client_id=call.params["client_id"])]


@operation("POST", "/clients/{client_id}/credentials")
def create_credential(call: Call) -> Reply:
    client = crud.find(CLIENTS, call, call.params["client_id"])
    sent, now = call.body or {}, call.tenant.timestamp()
    credential: Document = {
        "id": new_id("cred_", 22, BASE58),
        "credential_type": sent["credential_type"],
        **_described(sent),
        "created_at": now,
        "updated_at": now,
        "client_id": client["client_id"],
        "_pem": sent.get("pem"),
    }
    if sent.get("name"):
        credential["name"] = sent["name"]
    if sent.get("expires_at"):
        credential["expires_at"] = sent["expires_at"]
    return Reply(201, _shown(call.store.put("client_credentials", credential["id"], credential)))


def _described(sent: Document) -> Document:
    """What the credential's type tells of its key: kid and alg, thumbprint, or subject."""
    kind, pem = sent["credential_type"], sent.get("pem", "")
    if kind == "cert_subject_dn":
        return {"subject_dn": sent.get("subject_dn") or subject_lines(pem)}
    if not pem:
        raise ApiError(400, "Payload validation error: 'Missing required property: pem'.", "invalid_body")
    if kind == "x509_cert":
        return {"thumbprint_sha256": thumbprint_sha256(pem)}
    return {"kid": sent.get("kid") or rsa_thumbprint(pem), "alg": sent.get("alg") or "RS256"}


def _shown(credential: Document) -> Document:
    return {key: value for key, value in credential.items() if key != "client_id" and not key.startswith("_")}


def _asked(call: Call) -> Document:
    crud.find(CLIENTS, call, call.params["client_id"])
    credential = call.store.get("client_credentials", call.params["credential_id"])
    if credential is None or credential["client_id"] != call.params["client_id"]:
        raise ApiError(404, "The credential does not exist", "inexistent_credential")
    return credential


@operation("GET", "/clients/{client_id}/credentials/{credential_id}")
def read_credential(call: Call) -> Document:
    return _shown(_asked(call))


@operation("PATCH", "/clients/{client_id}/credentials/{credential_id}")
def change_credential(call: Call) -> Document:
    old = _asked(call)
    new = {
        **old,
        **{k: v for k, v in (call.body or {}).items() if k == "expires_at"},
        "updated_at": call.tenant.timestamp(),
    }
    return _shown(call.store.put("client_credentials", old["id"], new))


@operation("DELETE", "/clients/{client_id}/credentials/{credential_id}")
def delete_credential(call: Call) -> Reply:
    credential = _asked(call)
    client: dict[str, Any] = call.store.get("clients", credential["client_id"]) or {}
    methods = client.get("client_authentication_methods") or {}
    used = [c["id"] for method in methods.values() for c in method.get("credentials", ())]
    if credential["id"] in used:
        raise ApiError(409, "The credential is in use by the client.", "credential_in_use")
    call.store.remove("client_credentials", credential["id"])
    return Reply(204)
