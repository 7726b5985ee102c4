"""GET and POST /userinfo, and POST /oauth/revoke."""

from __future__ import annotations

from starlette.responses import Response

from sandbox import tokens
from sandbox.errors import OAuthError, TooManyRequests
from sandbox.login import audiences, claims, clients, dpop, refresh_tokens
from sandbox.login.calls import Answer, Call, json_answer
from sandbox.login.transient import allow_user
from sandbox.tokens import Claims, InvalidTokenError


class UserinfoError(OAuthError):
    """401. RFC 6750 and 9449: the reason is in the WWW-Authenticate header, too."""

    def __init__(self, error: str, description: str, scheme: str = "Bearer") -> None:
        super().__init__(401, error, description)
        challenge = f'{scheme} realm="Users", error="{error}", error_description="{description}"'
        algorithms = f', algs="{" ".join(dpop.ALGORITHMS)}"' if scheme == dpop.SCHEME else ""
        self.headers = {"WWW-Authenticate": challenge + algorithms}


async def userinfo(call: Call) -> Answer:
    scheme, token = call.credentials
    if scheme not in ("bearer", "dpop"):
        token = call.text("access_token") if call.request.method == "POST" else ""
    if not token:
        raise UserinfoError("unauthorized", "No authorization token was found")
    body = _verified(call, token)
    _check_binding(call, scheme, token, (body.get("cnf") or {}).get("jkt", ""))
    wanted = audiences.userinfo_audience(call.tenant)
    found = body.get("aud")
    scopes = str(body.get("scope") or "").split()
    if wanted not in (found if isinstance(found, list) else [found]) or "openid" not in scopes:
        raise UserinfoError("unauthorized", "The access token was not issued for the userinfo endpoint")
    user = call.tenant.store.get("users", str(body.get("sub")))
    if user is None:
        raise UserinfoError("unauthorized", "The user does not exist")
    allowed, headers = allow_user(call.tenant, "userinfo", user["user_id"])
    if not allowed:
        raise TooManyRequests(headers)
    return json_answer({**claims.of_user(user, scopes), **_custom(body)}, headers=headers)


def _custom(body: Claims) -> Claims:
    """Claims that Actions put into the access token, as far as their names say whose they are."""
    return {name: value for name, value in body.items() if "://" in name}


def _verified(call: Call, token: str) -> Claims:
    try:
        return tokens.verify(call.tenant, token) if token.count(".") == 2 else tokens.unseal(call.tenant, token)
    except InvalidTokenError:
        raise UserinfoError("unauthorized", "Unauthorized") from None


def _check_binding(call: Call, scheme: str, token: str, thumbprint: str) -> None:
    """A token that is bound to a key comes with a proof of that key, and no other token comes so."""
    if not thumbprint and scheme != "dpop":
        return
    try:
        proven = dpop.proven_with(call, token) if scheme == "dpop" else ""
    except dpop.DPoPError as problem:
        raise UserinfoError(problem.error, problem.description, dpop.SCHEME) from None
    if not thumbprint or proven != thumbprint:
        raise UserinfoError("invalid_token", "Invalid DPoP key binding", dpop.SCHEME)


async def revoke(call: Call) -> Answer:
    """RFC 7009 for refresh tokens: 200 whether the token was known or not."""
    caller = clients.authenticate(call)
    if refresh_tokens.revoke(call.tenant, caller.client, call.required("token")):
        call.log("srrt", caller.client)
    return Response(status_code=200)
