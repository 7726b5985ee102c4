"""What a client discovers: the OpenID configuration and the public keys."""

from __future__ import annotations

from starlette.responses import Response

from sandbox import discovery, keys
from sandbox.login.calls import Answer, Call, json_answer


async def openid_configuration(call: Call) -> Answer:
    found = discovery.body(call.tenant, call.user_agent)
    return Response(found, headers=discovery.HEADERS, media_type="application/json")


async def jwks(call: Call) -> Answer:
    return json_answer(keys.jwks(call.tenant), headers=discovery.PUBLIC)


async def pem(call: Call) -> Answer:
    """GET /pem: the certificate of the current key."""
    return Response(keys.current(call.tenant).certificate_pem, media_type="application/x-pem-file")
