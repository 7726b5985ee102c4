"""Sessions, refresh tokens, grants and device credentials: what lets a user in without signing in again.

`sessions` and `refresh_tokens` are documents as the API shows them, made by login.
"""

from __future__ import annotations

from typing import Any

from sandbox import backchannel
from sandbox.errors import ApiError
from sandbox.kinds.limits import entitled
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.paging import checkpoint, chosen, listing
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id
from sandbox.users import records

MOST_REVOKED = 100
SESSIONS = "session management"


def _shown(document: Document) -> Document:
    return {key: value for key, value in document.items() if key[0] != "_"}


def live(tenant: Tenant, kind: str, user_id: str) -> list[Document]:
    """The user's sessions or refresh tokens that have not expired, newest first."""
    now = tenant.timestamp()
    found = tenant.store.find(kind, user_id=user_id)
    return [d for d in found if all((d.get(end) or now) >= now for end in ("expires_at", "idle_expires_at"))][::-1]


def end_session(tenant: Tenant, session: Document, *, with_refresh_tokens: bool) -> None:
    backchannel.end(tenant, session, "session-revoked")
    if with_refresh_tokens:
        for token in tenant.store.find("refresh_tokens", user_id=session["user_id"]):
            if token.get("session_id") == session["id"]:
                tenant.store.remove("refresh_tokens", token["id"])


def _user(call: Call) -> Document:
    """The user in the path, where the plan includes sessions."""
    entitled(call, SESSIONS)
    return records.get(call.tenant, call.params.get("user_id") or call.params["id"])


def _one(call: Call, kind: str) -> Document:
    entitled(call, SESSIONS)
    found = call.store.get(kind, call.params["id"])
    if found is None:
        word = "session" if kind == "sessions" else "refresh token"
        raise ApiError(404, f"The {word} does not exist.", f"inexistent_{word.replace(' ', '_')}")
    return found


@operation("GET", "/users/{user_id}/sessions")
def list_sessions(call: Call) -> Any:
    user = _user(call)
    return checkpoint(call, [_shown(s) for s in live(call.tenant, "sessions", user["user_id"])], "sessions")


@operation("DELETE", "/users/{user_id}/sessions")
def delete_sessions(call: Call) -> Reply:
    user = _user(call)
    records.end_sessions(call.tenant, user["user_id"], "session-revoked")
    return Reply(202)


@operation("GET", "/sessions/{id}")
def read_session(call: Call) -> Document:
    return _shown(_one(call, "sessions"))


@operation("PATCH", "/sessions/{id}")
def change_session(call: Call) -> Document:
    return _set_metadata(call, "sessions", "session_metadata")


def _set_metadata(call: Call, kind: str, field: str) -> Document:
    document, metadata = _one(call, kind), (call.body or {}).get(field)
    changed = {**document, field: records.merge_metadata(document.get(field), metadata) if metadata else None}
    if "updated_at" in document:
        changed["updated_at"] = call.tenant.timestamp()
    return _shown(call.store.put(kind, document["id"], changed))


@operation("DELETE", "/sessions/{id}")
def delete_session(call: Call) -> Reply:
    session = call.store.get("sessions", call.params["id"])
    if session is not None:
        end_session(call.tenant, session, with_refresh_tokens=False)
    return Reply(202)


@operation("POST", "/sessions/{id}/revoke")
def revoke_session(call: Call) -> Reply:
    end_session(call.tenant, _one(call, "sessions"), with_refresh_tokens=True)
    return Reply(202)


@operation("POST", "/users/{id}/revoke-access")
def revoke_access(call: Call) -> Reply:
    user, body = _user(call), call.body or {}
    keep_tokens = bool(body.get("preserve_refresh_tokens"))
    sessions = call.store.find("sessions", user_id=user["user_id"])
    if body.get("session_id"):
        sessions = [s for s in sessions if s["id"] == body["session_id"]]
        if not sessions:
            raise ApiError(404, "The session does not exist.", "inexistent_session")
    for session in sessions:
        end_session(call.tenant, session, with_refresh_tokens=not keep_tokens)
    if not body.get("session_id") and not keep_tokens:
        for token in call.store.find("refresh_tokens", user_id=user["user_id"]):
            call.store.remove("refresh_tokens", token["id"])
    return Reply(202)


@operation("GET", "/refresh-tokens")
def list_refresh_tokens(call: Call) -> Any:
    user = records.get(call.tenant, call.query["user_id"])
    tokens = [_shown(t) for t in live(call.tenant, "refresh_tokens", user["user_id"])]
    if call.query.get("client_id"):
        tokens = [t for t in tokens if t.get("client_id") == call.query["client_id"]]
    return checkpoint(call, tokens, "refresh_tokens")


@operation("GET", "/users/{user_id}/refresh-tokens")
def list_refresh_tokens_of_user(call: Call) -> Any:
    user = _user(call)
    return checkpoint(call, [_shown(t) for t in live(call.tenant, "refresh_tokens", user["user_id"])], "tokens")


@operation("DELETE", "/users/{user_id}/refresh-tokens")
def delete_refresh_tokens_of_user(call: Call) -> Reply:
    user = _user(call)
    for token in call.store.find("refresh_tokens", user_id=user["user_id"]):
        call.store.remove("refresh_tokens", token["id"])
    return Reply(202)


@operation("GET", "/refresh-tokens/{id}")
def read_refresh_token(call: Call) -> Document:
    return _shown(_one(call, "refresh_tokens"))


@operation("PATCH", "/refresh-tokens/{id}")
def change_refresh_token(call: Call) -> Document:
    return _set_metadata(call, "refresh_tokens", "refresh_token_metadata")


@operation("DELETE", "/refresh-tokens/{id}")
def delete_refresh_token(call: Call) -> Reply:
    call.store.remove("refresh_tokens", call.params["id"])
    return Reply(202)


@operation("POST", "/refresh-tokens/revoke")
def revoke_refresh_tokens(call: Call) -> Reply:
    """By ids, or by user_id, or user_id and client_id, or those and audience, or client_id (and audience)."""
    body = call.body or {}
    ids = body.get("ids")
    chosen_by = [name for name in ("user_id", "client_id", "audience") if body.get(name)]
    if (ids is None) == (not chosen_by) or (isinstance(ids, list) and not 1 <= len(ids) <= MOST_REVOKED):
        raise ApiError(
            400, f"Send either ids (1 to {MOST_REVOKED}) or user_id, client_id and audience.", "invalid_body"
        )
    for token in list(call.store.all("refresh_tokens")):
        if token["id"] in ids if ids is not None else _chosen(token, body, chosen_by):
            call.store.remove("refresh_tokens", token["id"])
    return Reply(202)


def _chosen(token: Document, body: Document, names: list[str]) -> bool:
    audiences = [server.get("audience") for server in token.get("resource_servers") or ()]
    return all(body[name] in audiences if name == "audience" else token.get(name) == body[name] for name in names)


@operation("GET", "/grants")
def list_grants(call: Call) -> Any:
    fields = {"user_id": "user_id", "client_id": "clientID", "audience": "audience"}
    wanted = {field: call.query[name] for name, field in fields.items() if call.query.get(name)}
    return listing(call, [_shown(grant) for grant in call.store.find("grants", **wanted)], "grants")


@operation("DELETE", "/grants")
def delete_grants(call: Call) -> Reply:
    for grant in call.store.find("grants", user_id=call.query["user_id"]):
        call.store.remove("grants", grant["id"])
    return Reply(204)


@operation("DELETE", "/grants/{id}")
def delete_grant(call: Call) -> Reply:
    call.store.remove("grants", call.params["id"])
    return Reply(204)


@operation("GET", "/device-credentials")
def list_device_credentials(call: Call) -> Any:
    wanted = {name: call.query[name] for name in ("user_id", "client_id", "type") if call.query.get(name)}
    items = [_shown(item) for item in [*call.store.find("device_credentials", **wanted), *_devices(call, wanted)]]
    return listing(call, items, "device_credentials")


def _devices(call: Call, wanted: dict[str, str]) -> list[Document]:
    """Each refresh token is a device, too."""
    if wanted.get("type") == "public_key":
        return []
    devices = [_device(token) for token in call.store.all("refresh_tokens") if token.get("user_id")]
    return [device for device in devices if all(device.get(k) == v for k, v in wanted.items())]


def _device(token: Document) -> Document:
    device = token.get("device") or {}
    return {
        "id": f"dcr_{token['id']}",
        "user_id": token["user_id"],
        "client_id": token.get("client_id"),
        "device_name": token.get("_device_name") or device.get("initial_user_agent") or "Unknown device",
        "device_id": token["id"],
        "type": "rotating_refresh_token" if token.get("rotating") else "refresh_token",
    }


@operation("POST", "/device-credentials")
def create_device_credential(call: Call) -> Document:
    body, user_id = call.body or {}, str(call.claims.get("sub"))
    if call.store.get("users", user_id) is None:
        raise ApiError(403, "Cannot create device credentials for that user.", "insufficient_scope")
    if call.store.find("device_credentials", user_id=user_id, device_id=body.get("device_id")):
        raise ApiError(409, "A public key already exists for the device.", "device_credential_exists")
    id = new_id("dcr_")
    kept = {name: body[name] for name in ("device_name", "type", "device_id", "client_id") if name in body}
    call.store.put("device_credentials", id, {"id": id, "user_id": user_id, **kept, "_value": body.get("value")})
    return chosen(call, {"id": id})


@operation("DELETE", "/device-credentials/{id}")
def delete_device_credential(call: Call) -> Reply:
    id = call.params["id"]
    if call.store.remove("device_credentials", id) is None:
        call.store.remove("refresh_tokens", id.removeprefix("dcr_"))
    return Reply(204)
