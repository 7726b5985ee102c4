"""Which pages of other origins may call the API by script: those of the tenant's applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from sandbox.login.callbacks import origin_of
from sandbox.tenant import Tenant

Endpoint = Callable[[Request], Awaitable[Response]]
_PUBLIC = "/.well-known/"


def open_to_scripts(tenant: Tenant, endpoint: Endpoint) -> Endpoint:
    async def answered(request: Request) -> Response:
        origin = request.headers.get("origin")
        if request.method == "OPTIONS":
            answer = Response(status_code=204)
        else:
            answer = await endpoint(request)
        if origin and (request.url.path.startswith(_PUBLIC) or allowed(tenant, origin)):
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Allow-Credentials"] = "true"
            answer.headers["Access-Control-Allow-Methods"] = "GET,POST,DELETE,OPTIONS"
            answer.headers["Access-Control-Allow-Headers"] = "Authorization,Content-Type,Auth0-Client,DPoP"
            answer.headers["Access-Control-Expose-Headers"] = "DPoP-Nonce"
            answer.headers.add_vary_header("Origin")
        return answer

    return answered


def allowed(tenant: Tenant, origin: str) -> bool:
    """Whether an application has this origin among its callbacks, web origins or allowed origins."""
    for client in tenant.store.all("clients"):
        registered = [*(client.get("web_origins") or ()), *(client.get("allowed_origins") or ())]
        if origin in registered or origin in [origin_of(url) for url in client.get("callbacks") or ()]:
            return True
    return False
