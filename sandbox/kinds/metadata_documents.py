"""Applications that describe themselves in a document at their client id (Client ID Metadata Document).

The sandbox opens no connection to the outside: it takes what the address itself tells.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.applications import CLIENTS
from sandbox.kinds.kind import BASE58
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.tenant import new_id

REGISTERED: Document = {
    "external_metadata_type": "cimd",
    "external_metadata_created_by": "admin",
    "is_first_party": False,
    "oidc_conformant": True,
    "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 3600},
    "refresh_token": {
        "rotation_type": "rotating",
        "expiration_type": "expiring",
        "infinite_token_lifetime": False,
        "infinite_idle_token_lifetime": False,
    },
}
"""What such an application has beyond its document: nobody vouches for it, so its tokens live shorter."""


def _mapped(call: Call) -> Document:
    address = (call.body or {})["external_client_id"]
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.netloc or parts.path in ("", "/"):
        raise ApiError(400, "external_client_id must be an https URL with a path.", "invalid_body")
    origin = f"https://{parts.netloc}"
    return {
        "external_client_id": address,
        "name": parts.netloc.split(".")[0].title(),
        "callbacks": [f"{origin}/"],
        "logo_uri": f"{origin}/logo.png",
        "grant_types": ["authorization_code"],
        "app_type": "native",
        "token_endpoint_auth_method": "none",
    }


def _answer(fields: Document, client_id: str | None) -> Document:
    answer: Document = {"mapped_fields": fields, "validation": {"valid": True, "violations": [], "warnings": []}}
    return {**answer, "client_id": client_id} if client_id else answer


def _registered(call: Call, fields: Document) -> Document | None:
    return call.store.first("clients", external_client_id=fields["external_client_id"])


@operation("POST", "/clients/cimd/preview")
def preview(call: Call) -> Reply:
    fields = _mapped(call)
    known = _registered(call, fields)
    return Reply(200, _answer(fields, known["client_id"] if known else None))


@operation("POST", "/clients/cimd/register")
def register(call: Call) -> Reply:
    """A known document is registered again under the same client id."""
    fields = _mapped(call)
    known = _registered(call, fields)
    if known:
        client = crud.update(CLIENTS, call, known, fields)
    else:
        client = crud.insert(CLIENTS, call, {**REGISTERED, **fields, "client_id": new_id("tpc_", 22, BASE58)})
    return Reply(200, _answer(fields, client["client_id"]))
