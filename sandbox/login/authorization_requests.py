"""What an application may ask /authorize for. The same holds for a request that was pushed to /oauth/par."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import OAuthError
from sandbox.login import audiences, callbacks, clients, configuration, dpop, third_party
from sandbox.store import Document
from sandbox.tenant import Tenant

RESPONSE_TYPES = frozenset(
    frozenset(types.split())
    for types in ("code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token")
)
RESPONSE_MODES = ("query", "fragment", "form_post", "web_message")
PROMPTS = frozenset(["none", "login", "consent", "select_account", "create"])
_LONGEST_PARAMETER = 4096
_LONGEST_REQUEST_OBJECT = 10_000


@dataclass
class AuthorizationRequest:
    """pushed: it came by way of /oauth/par. signed: in a request object."""

    parameters: dict[str, str]
    pushed: bool = False
    signed: bool = False


def texts(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that are text of a reasonable length."""
    longest = {"request": _LONGEST_REQUEST_OBJECT}
    given = {name: value for name, value in parameters.items() if isinstance(value, str)}
    return {name: value for name, value in given.items() if len(value) <= longest.get(name, _LONGEST_PARAMETER)}


def client_of(tenant: Tenant, parameters: Mapping[str, str]) -> Document:
    """The application that asks. Raises OAuthError 400, which a page has to tell."""
    if not parameters.get("client_id"):
        raise _invalid("Missing required parameter: client_id")
    client = clients.find(tenant, parameters["client_id"])
    if client is None:
        raise _invalid(f"Unknown client: {parameters['client_id']}")
    return client


def check_callback(client: Document, parameters: Mapping[str, str]) -> None:
    """Raises OAuthError 400 or 403, which a page has to tell: there is nowhere to send the person back to."""
    registered, sent = list(client.get("callbacks") or []), parameters.get("redirect_uri", "")
    if not sent and not registered:
        raise _invalid("Missing required parameter: redirect_uri")
    if sent and not callbacks.allowed(registered, sent):
        text = (
            f"Callback URL mismatch. {sent} is not in the list of allowed callback URLs of the application "
            f"{client.get('name', '')}."
        )
        raise OAuthError(403, "unauthorized_client", text)


def check(tenant: Tenant, client: Document, request: AuthorizationRequest) -> Document | None:
    """The connection that the request names. Raises OAuthError, which the application hears.

    Fills in `audience`: the identifier of an API, "" for /userinfo.
    """
    parameters = request.parameters
    third_party.check(client, parameters, plain=not request.pushed and not request.signed)
    if "request" in parameters:
        raise OAuthError(400, "request_not_supported", "Request objects are not supported for this client")
    if client.get("require_pushed_authorization_requests") and not request.pushed:
        raise _invalid("Pushed Authorization Requests are required for this client")
    if (client.get("signed_request_object") or {}).get("required") and not request.signed:
        raise _invalid("Signed request objects are required for this client")
    _check_response(parameters, client)
    _check_pkce(parameters)
    _check_prompt(parameters)
    if parameters.get("max_age") and not parameters["max_age"].isdecimal():
        raise _invalid("Invalid value for max_age: it has to be a number of seconds")
    dpop.check_thumbprint(parameters.get("dpop_jkt", ""))
    parameters["audience"] = _audience(tenant, client, parameters)
    return _connection(tenant, client, parameters.get("connection", ""))


def _check_response(parameters: Mapping[str, str], client: Document) -> None:
    wanted = parameters.get("response_type", "")
    if not wanted:
        raise _invalid("Missing required parameter: response_type")
    types = frozenset(wanted.split())
    if types not in RESPONSE_TYPES:
        raise OAuthError(400, "unsupported_response_type", f"Unsupported response type: {wanted}")
    mode = parameters.get("response_mode")
    if mode and mode not in RESPONSE_MODES:
        raise _invalid(f"Unsupported response mode: {mode}")
    if mode == "query" and types != {"code"}:
        raise _invalid("response_mode query is not allowed for this response type")
    if "code" in types:
        clients.allow_grant(client, "authorization_code")
    if types - {"code"}:
        clients.allow_grant(client, "implicit")
    if "id_token" in types and not parameters.get("nonce"):
        raise _invalid("Missing required parameter: nonce")


def _check_pkce(parameters: Mapping[str, str]) -> None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if method and method not in ("S256", "plain"):
        raise _invalid(f"Unsupported code challenge method: {method}")
    if method and not challenge:
        raise _invalid("Missing required parameter: code_challenge")
    if challenge and not 43 <= len(challenge) <= 128:
        raise _invalid("code_challenge has to be 43 to 128 characters long")


def _check_prompt(parameters: Mapping[str, str]) -> None:
    prompts = set(parameters.get("prompt", "").split())
    if prompts - PROMPTS:
        raise _invalid(f"Invalid prompt: {parameters['prompt']}")
    if "none" in prompts and len(prompts) > 1:
        raise _invalid("prompt none can't be combined with others")


def _audience(tenant: Tenant, client: Document, parameters: Mapping[str, str]) -> str:
    audience = audiences.requested(tenant, parameters.get("audience", ""), parameters.get("resource", ""))
    if audience == audiences.userinfo_audience(tenant):
        audience = ""
    api = audiences.for_people(tenant, client, audience) if audience else None
    if "token" in parameters["response_type"].split():
        dpop.binds(client, api, "")  # nobody proves a key in a browser
    return audience


def _connection(tenant: Tenant, client: Document, name: str) -> Document | None:
    enabled = configuration.enabled_connections(tenant, client)
    if not enabled:
        raise _invalid("no connections enabled for the client")
    found = next((connection for connection in enabled if connection["name"] == name), None)
    if name and found is None:
        raise _invalid("the connection was not found")
    return found


def _invalid(description: str) -> OAuthError:
    return OAuthError(400, "invalid_request", description)
