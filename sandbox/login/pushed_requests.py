"""POST /oauth/par: an application sends its authorization request ahead, over the back channel (RFC 9126)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sandbox.errors import OAuthError
from sandbox.login import authorization_requests, clients, configuration, dpop, request_objects
from sandbox.login.authorization_requests import AuthorizationRequest
from sandbox.login.calls import Answer, Call, json_answer
from sandbox.login.transient import transient
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

URN = "urn:ietf:params:oauth:request_uri:"
LIFETIME_SECONDS = 30
LARGEST_BYTES = 10_000
MOST_EXTENSIONS = 10
# What is kept of a request, beside parameters that begin with "ext-".
KEPT = frozenset(
    ["client_id", "response_type", "response_mode", "redirect_uri", "scope", "audience", "resource", "state", "nonce"]
    + ["code_challenge", "code_challenge_method", "connection", "connection_scope", "organization", "invitation"]
    + ["prompt", "max_age", "acr_values", "login_hint", "id_token_hint", "ui_locales", "screen_hint", "display"]
    + ["dpop_jkt", "authorization_details"]
)


async def push(call: Call) -> Answer:
    """201 {"request_uri", "expires_in"}: a reference for /authorize, once. What is wrong is said here already."""
    try:
        request = _checked(call)
    except OAuthError as problem:
        client = clients.find(call.tenant, call.parameters.get("client_id"))
        call.log("fpar", client, description=str(problem))
        raise
    uri = URN + new_id("", 32)
    transient(call.tenant, "pushed requests").put(uri, request, LIFETIME_SECONDS)
    return json_answer({"request_uri": uri, "expires_in": LIFETIME_SECONDS}, 201)


def _checked(call: Call) -> AuthorizationRequest:
    if not configuration.tenant_settings(call.tenant).get("pushed_authorization_requests_supported"):
        raise OAuthError(403, "access_denied", "Pushed Authorization Requests are not enabled for this tenant")
    _check_form(call)
    caller = clients.authenticate(call)
    client = caller.client
    if not caller.proven:
        raise clients.unauthorized()
    given = {**authorization_requests.texts(call.parameters), "client_id": client["client_id"]}
    if call.text("client_id") not in ("", client["client_id"]):
        raise OAuthError(400, "invalid_request", "client_id does not match the authenticated client")
    if "request_uri" in given:
        raise OAuthError(400, "invalid_request", "request_uri is not allowed here")
    request = request_objects.read(call.tenant, client, given)
    request.pushed = True
    _bind(call, request)
    authorization_requests.check_callback(client, request.parameters)
    authorization_requests.check(call.tenant, client, replace(request, parameters=dict(request.parameters)))
    return replace(request, parameters=_kept(request.parameters))


def _check_form(call: Call) -> None:
    kind = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise OAuthError(400, "invalid_request", "Content-Type must be application/x-www-form-urlencoded")
    if sum(len(name) + len(str(value)) for name, value in call.parameters.items()) > LARGEST_BYTES:
        raise OAuthError(413, "invalid_request", f"The request is larger than {LARGEST_BYTES // 1000} KB")


def _kept(parameters: Mapping[str, str]) -> dict[str, str]:
    extensions = [name for name in parameters if name.startswith("ext-")][:MOST_EXTENSIONS]
    return {name: value for name, value in parameters.items() if name in KEPT or name in extensions}


def _bind(call: Call, request: AuthorizationRequest) -> None:
    """A proof sent along says which key the code is for, as `dpop_jkt` does."""
    thumbprint, asked = dpop.proven(call), request.parameters.get("dpop_jkt", "")
    if thumbprint and asked not in ("", thumbprint):
        raise dpop.refused("The DPoP proof is not made with the key that dpop_jkt names")
    if thumbprint:
        request.parameters["dpop_jkt"] = thumbprint


def taken(tenant: Tenant, client: Document, uri: str) -> AuthorizationRequest:
    """The request that was pushed, once. Raises OAuthError 400 for one that is unknown, used, expired or another's."""
    waiting = transient(tenant, "pushed requests")
    found: AuthorizationRequest | None = waiting.get(uri) if uri.startswith(URN) else None
    if found is None or found.parameters["client_id"] != client["client_id"]:
        raise OAuthError(400, "invalid_request", "The request_uri is invalid or has expired")
    waiting.pop(uri)
    return found
