"""Keys and certificates that an application is given: made on their own, or together with the application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.certificates import expiry, rsa_thumbprint, subject_lines, thumbprint_sha256
from sandbox.kinds.kind import BASE58
from sandbox.kinds.operations import Call
from sandbox.store import Document
from sandbox.tenant import new_id

HOLDERS = ("signed_request_object", "token_vault_privileged_access")
"""Properties of an application, beside its ways to sign in, that name credentials."""


def create(call: Call, client_id: str, sent: Document) -> Document:
    """Store a credential of the application. Raises ApiError 400 where its key can't be read."""
    now = call.tenant.timestamp()
    credential: Document = {
        "id": new_id("cred_", 22, BASE58),
        "credential_type": sent["credential_type"],
        **_described(sent),
        "created_at": now,
        "updated_at": now,
        "client_id": client_id,
        "_pem": sent.get("pem"),
    }
    credential.update({name: sent[name] for name in ("name", "expires_at") if sent.get(name)})
    return call.store.put("client_credentials", credential["id"], credential)


def kept(call: Call, client: Document) -> Document:
    """The application with the ids of credentials in place of those that were sent whole, which are stored."""
    result = dict(client)
    methods = client.get("client_authentication_methods")
    if methods:
        result["client_authentication_methods"] = {
            name: _with_ids(call, client["client_id"], method) for name, method in methods.items()
        }
    for name in HOLDERS:
        if isinstance(client.get(name), dict):
            result[name] = _with_ids(call, client["client_id"], client[name])
    return result


def _with_ids(call: Call, client_id: str, holder: Any) -> Any:
    if not isinstance(holder, dict) or not isinstance(holder.get("credentials"), list):
        return holder
    return {**holder, "credentials": list(_ids(call, client_id, holder["credentials"]))}


def _ids(call: Call, client_id: str, credentials: list[Document]) -> Iterator[Document]:
    for sent in credentials:
        if "credential_type" in sent:
            yield {"id": create(call, client_id, sent)["id"]}
            continue
        found = call.store.get("client_credentials", str(sent.get("id")))
        if found is None or found["client_id"] != client_id:
            raise ApiError(400, f"The credential {sent.get('id')} does not exist.", "invalid_body")
        yield {"id": found["id"]}


def _described(sent: Document) -> Document:
    """What the credential's type tells of its key: kid and alg, thumbprint, or subject; and when it expires."""
    kind, pem = sent["credential_type"], sent.get("pem") or ""
    if kind == "cert_subject_dn":
        if pem and sent.get("subject_dn"):
            raise ApiError(400, "subject_dn and pem are mutually exclusive.", "invalid_body")
        return {"subject_dn": sent.get("subject_dn") or subject_lines(pem)}
    if not pem:
        raise ApiError(400, "Payload validation error: 'Missing required property: pem'.", "invalid_body")
    if kind == "x509_cert":
        return {"thumbprint_sha256": thumbprint_sha256(pem), "expires_at": expiry(pem)}
    described = {"kid": sent.get("kid") or rsa_thumbprint(pem), "alg": sent.get("alg") or "RS256"}
    return {**described, "expires_at": expiry(pem)} if sent.get("parse_expiry_from_cert") else described
