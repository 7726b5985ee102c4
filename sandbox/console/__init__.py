"""The page at /_sandbox/: what the tenant sent, the phones of its people, and the requests it got."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import mailbox, phones, recent_requests
from sandbox.tenant import Tenant

_FOLDER = Path(__file__).parent
_PAGE_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
_PAGE_POLICY += "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
_MAIL_POLICY += "sandbox allow-top-navigation-by-user-activation allow-popups allow-popups-to-escape-sandbox"
_FILES = {"console.css": "text/css", "console.js": "text/javascript"}
SHOWN_PHONES = 8
SHOWN_MAILS = 50
SHOWN_REQUESTS = 60

Endpoint = Callable[[Request], Awaitable[Response]]
Page = Callable[[Tenant, Request], Response]


def routes(
    tenant: Tenant, bound: Callable[[Tenant, Callable[[Tenant, Request], Awaitable[Response]]], Endpoint]
) -> list[Route]:
    """The pages; `bound` is control's way to turn a handler into an endpoint that refuses other sites."""

    def page(path: str, make: Page) -> Route:
        async def handler(tenant: Tenant, request: Request) -> Response:
            return make(tenant, request)

        return Route(f"/_sandbox{path}", bound(tenant, handler), methods=["GET"])

    return [
        page("", lambda tenant, request: RedirectResponse("/_sandbox/", 308)),
        page("/", overview),
        page("/mail/{id}", mail),
        page("/mail/{id}/html", mail_html),
        page("/files/{name}", file),
    ]


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _rendered(template: str, status: int = 200, **values: Any) -> Response:
    text = _environment().get_template(template).render(**values)
    headers = {"content-security-policy": _PAGE_POLICY, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(text, status, headers, media_type="text/html")


def overview(tenant: Tenant, request: Request) -> Response:
    email = request.query_params.get("email", "").strip()
    found = phones.show(tenant, email=email) if email else phones.show(tenant, type="totp", newest=SHOWN_PHONES)
    messages = mailbox.messages(tenant, to=phones.addresses_of(tenant, email) if email else None, newest=SHOWN_MAILS)
    return _rendered(
        "overview.html",
        tenant=tenant,
        email=email,
        messages=[m for m in messages if m["type"] == "email"],
        texts=[m for m in messages if m["type"] != "email"],
        phones=found,
        apps=len(tenant.store.find("authentication_methods", type="totp")),
        requests=recent_requests.listed(tenant)[-SHOWN_REQUESTS:][::-1],
        conditions=tenant.conditions.as_json(),
    )


def mail(tenant: Tenant, request: Request) -> Response:
    message = tenant.store.get("mailbox", request.path_params["id"])
    if message is None:
        return _rendered("missing.html", 404, tenant=tenant)
    link = message.get("link")
    safe = link if link and urlsplit(link).scheme in ("http", "https") else None
    return _rendered("mail.html", tenant=tenant, message=message, link=safe)


def mail_html(tenant: Tenant, request: Request) -> Response:
    """The mail's own HTML, in a frame without scripts; its links open in the whole window."""
    message = tenant.store.get("mailbox", request.path_params["id"])
    headers = {"content-security-policy": _MAIL_POLICY, "cache-control": "no-store"}
    if message is None:
        return Response("", 404, headers, media_type="text/html")
    style = (
        "<style>:root{color-scheme:light;background:#fff}body{font:15px/1.5 system-ui,sans-serif;margin:1rem}</style>"
    )
    body = f'<!doctype html><meta charset="utf-8"><base target="_top">{style}{message["html"]}'
    return Response(body, 200, headers, media_type="text/html")


def file(tenant: Tenant, request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _FILES:
        return Response("", 404)
    return Response((_FOLDER / name).read_bytes(), media_type=_FILES[name])
