"""GET and POST /userinfo, and POST /oauth/revoke."""

from __future__ import annotations

from starlette.responses import Response

from sandbox import tokens
from sandbox.errors import OAuthError
from sandbox.login import audiences, claims, clients, refresh_tokens
from sandbox.login.calls import Answer, Call, json_answer
from sandbox.login.transient import limited
from sandbox.tokens import Claims, InvalidTokenError


class UserinfoError(OAuthError):
    """RFC 6750: the reason is in the WWW-Authenticate header, too."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, error, description)
        self.headers = {"WWW-Authenticate": f'Bearer realm="Users", error="{error}", error_description="{description}"'}


async def userinfo(call: Call) -> Answer:
    token = call.bearer or (call.text("access_token") if call.request.method == "POST" else "")
    if not token:
        raise UserinfoError(401, "unauthorized", "No authorization token was found")
    body = _verified(call, token)
    wanted = audiences.userinfo_audience(call.tenant)
    found = body.get("aud")
    scopes = str(body.get("scope") or "").split()
    if wanted not in (found if isinstance(found, list) else [found]) or "openid" not in scopes:
        raise UserinfoError(401, "unauthorized", "The access token was not issued for the userinfo endpoint")
    user = call.tenant.store.get("users", str(body.get("sub")))
    if user is None:
        raise UserinfoError(401, "unauthorized", "The user does not exist")
    headers = limited(call.tenant, "userinfo", user["user_id"], burst=10, per_second=5 / 60)
    return json_answer({**claims.of_user(user, scopes), **_custom(body)}, headers=headers)


def _custom(body: Claims) -> Claims:
    """Claims that Actions put into the access token, as far as their names say whose they are."""
    return {name: value for name, value in body.items() if "://" in name}


def _verified(call: Call, token: str) -> Claims:
    try:
        return tokens.verify(call.tenant, token) if token.count(".") == 2 else tokens.unseal(call.tenant, token)
    except InvalidTokenError:
        raise UserinfoError(401, "unauthorized", "Unauthorized") from None


async def revoke(call: Call) -> Answer:
    """RFC 7009 for refresh tokens: 200 whether the token was known or not."""
    caller = clients.authenticate(call)
    if refresh_tokens.revoke(call.tenant, caller.client, call.required("token")):
        call.log("srrt", caller.client)
    return Response(status_code=200)
