"""The control surface below /_sandbox/: reset, state, conditions, requests, mail, phones, clock. Not part of Auth0."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import conditions, console, mailbox, phones, recent_requests, seed, state
from sandbox.tenant import Tenant

STATE_LIMIT_BYTES = 512 * 1024 * 1024
BODY_LIMIT_BYTES = 1024 * 1024
_HOSTS = ("localhost", "127.0.0.1", "::1")
Handler = Callable[[Tenant, Request], Awaitable[Response]]


class ControlError(Exception):
    """Bad input for the control surface; the text says what to send instead."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def routes(tenant: Tenant) -> list[Route]:
    table: list[tuple[str, str, Handler]] = [
        ("POST", "reset", reset),
        ("GET", "state", get_state),
        ("PUT", "state", put_state),
        ("PATCH", "state", patch_state),
        ("GET", "conditions", get_conditions),
        ("POST", "conditions", set_conditions),
        ("GET", "requests", requests),
        ("DELETE", "requests", forget_requests),
        ("GET", "mailbox", mail),
        ("GET", "phones", list_phones),
        ("POST", "phones", answer_push),
        ("GET", "clock", get_clock),
        ("POST", "clock", set_clock),
    ]
    return [
        *(Route(f"/_sandbox/{path}", _bound(tenant, handler), methods=[method]) for method, path, handler in table),
        *console.routes(tenant, _bound),
    ]


def _bound(tenant: Tenant, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            _refuse_other_sites(tenant, request)
            return await handler(tenant, request)
        except ControlError as problem:
            return answer({"error": str(problem)}, problem.status)

    return endpoint


def _refuse_other_sites(tenant: Tenant, request: Request) -> None:
    """A page of another site, open in the same browser, must not be able to steer or read a local tenant."""
    site = request.headers.get("sec-fetch-site", "none")
    followed_link = request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"
    if site not in ("none", "same-origin") and not followed_link:
        raise ControlError("Requests from other sites are refused.", 403)
    if _host(request) not in _HOSTS and not tenant.memory.get("beyond_loopback"):
        raise ControlError("Ask for localhost, 127.0.0.1 or [::1].", 403)


def _host(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:  # a bracket without its other
        return None


def answer(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_INDENT_2), status, media_type="application/json")


async def _body(request: Request, limit: int) -> bytearray:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            raise ControlError(f"The body is larger than {limit} bytes.", 413)
    return raw


async def _json(request: Request) -> Any:
    raw = await _body(request, BODY_LIMIT_BYTES)
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise ControlError(f"The body is not JSON: {problem}.") from None


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await _body(request, BODY_LIMIT_BYTES)).decode("utf-8", "replace")))


async def reset(tenant: Tenant, request: Request) -> Response:
    body = await _json(request)
    if body is not None and (not isinstance(body, dict) or set(body) - {"seed"}):
        raise ControlError('Send nothing, or {"seed": "factory"} or {"seed": "demo"}.')
    name = (body or {}).get("seed", tenant.seed)
    if name != tenant.seed and name not in seed.NAMES:
        raise ControlError(f"Unknown seed {name!r}. Known: {', '.join(seed.NAMES)}.")
    seed.apply(tenant, name)
    tenant.start_over()
    return Response(status_code=204)


async def get_state(tenant: Tenant, request: Request) -> Response:
    return Response(state.export(tenant), media_type="application/json")


async def put_state(tenant: Tenant, request: Request) -> Response:
    raw = await _body(request, STATE_LIMIT_BYTES)
    with seed.without_collections():
        try:
            documents = state.parse(tenant, raw)
        except ValueError as problem:
            raise ControlError(str(problem)) from None
        seed.replace(tenant, documents)
    tenant.start_over()
    return Response(status_code=204)


async def patch_state(tenant: Tenant, request: Request) -> Response:
    """These documents alone: everything else stays, running logins too."""
    try:
        changes = state.parse_changes(await _json(request))
    except ValueError as problem:
        raise ControlError(str(problem)) from None
    for kind, documents in changes.items():
        for id, document in documents.items():
            if document is None:
                tenant.store.remove(kind, id)
            else:
                tenant.store.put(kind, id, document)
    return Response(status_code=204)


async def get_conditions(tenant: Tenant, request: Request) -> Response:
    return answer(tenant.conditions.as_json())


async def set_conditions(tenant: Tenant, request: Request) -> Response:
    try:
        tenant.conditions = conditions.parse(await _json(request), tenant.conditions)
    except ValueError as problem:
        raise ControlError(str(problem)) from None
    return answer(tenant.conditions.as_json())


async def requests(tenant: Tenant, request: Request) -> Response:
    return answer(recent_requests.listed(tenant))


async def forget_requests(tenant: Tenant, request: Request) -> Response:
    tenant.requests.clear()
    return Response(status_code=204)


async def mail(tenant: Tenant, request: Request) -> Response:
    """?to=ADDRESS narrows; newest first."""
    to = request.query_params.get("to")
    return answer(mailbox.messages(tenant, to=None if to is None else [to]))


async def list_phones(tenant: Tenant, request: Request) -> Response:
    """?user_id= or ?email= narrows: current codes of enrolled authenticator apps, text messages, waiting pushes."""
    return answer(phones.show(tenant, request.query_params.get("user_id"), request.query_params.get("email")))


async def answer_push(tenant: Tenant, request: Request) -> Response:
    """{"id": message, "state": "accepted" or "rejected"} as JSON, or the page's form."""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body: Any = await _form(request) if form else await _json(request)
    if not isinstance(body, dict) or body.get("state") not in ("accepted", "rejected"):
        raise ControlError('Send {"id": ID of a push, "state": "accepted" or "rejected"}.')
    message = tenant.store.get("phone_messages", str(body.get("id")))
    if message is None or message["type"] != "push":
        raise ControlError("There is no push with that id.", 404)
    changed = tenant.store.put("phone_messages", message["id"], {**message, "state": body["state"]})
    return RedirectResponse("/_sandbox/", 303) if form else answer(changed)


async def get_clock(tenant: Tenant, request: Request) -> Response:
    return answer({"now": tenant.timestamp(), "offset_seconds": tenant.clock_offset_seconds})


async def set_clock(tenant: Tenant, request: Request) -> Response:
    body = await _json(request)
    if not isinstance(body, dict) or set(body) not in ({"advance_seconds"}, {"offset_seconds"}):
        raise ControlError('Send {"advance_seconds": number} or {"offset_seconds": number}.')
    (name, value), *_ = body.items()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 3_155_760_000:
        raise ControlError(f"{name} must be a number of seconds, at most 100 years.")
    tenant.set_clock(value + (tenant.clock_offset_seconds if name == "advance_seconds" else 0))
    return await get_clock(tenant, request)
