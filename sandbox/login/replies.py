"""Answers to browsers: redirects, cookies, and what goes back to the application."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from starlette.responses import Response

from sandbox.login import configuration
from sandbox.login.rendering import page
from sandbox.login.transactions import Transaction, cookie_name
from sandbox.tenant import Tenant

YEAR_SECONDS = 365 * 86_400


def redirect(url: str) -> Response:
    """302 to a path of ours or an absolute address."""
    location = quote(url, safe=":/%#?=@[]!$&'()*+,;~-._")
    return Response(status_code=302, headers={"Location": location, "Cache-Control": "no-store"})


def to_page(transaction: Transaction, path: str, **query: str) -> Response:
    return redirect(f"{path}?{urlencode({'state': transaction.id, **query})}")


def with_cookie(answer: Response, tenant: Tenant, purpose: str, value: str, seconds: float | None = None) -> Response:
    """A cookie of this tenant; until the browser closes when `seconds` is None."""
    answer.set_cookie(
        cookie_name(tenant, purpose),
        value,
        max_age=None if seconds is None else int(seconds),
        path="/",
        httponly=True,
        samesite="lax",
    )
    return answer


def without_cookie(answer: Response, tenant: Tenant, purpose: str) -> Response:
    answer.delete_cookie(cookie_name(tenant, purpose), path="/", httponly=True, samesite="lax")
    return answer


def added_to(url: str, values: dict[str, Any]) -> str:
    """The address with further query parameters."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *((k, str(v)) for k, v in values.items())]
    return urlunsplit(parts._replace(query=urlencode(query)))


def to_application(transaction: Transaction, values: dict[str, Any]) -> Response:
    """Hand over a result (or an error) in the response mode that was asked for."""
    parameters = transaction.parameters
    if parameters.get("state"):
        values = {**values, "state": parameters["state"]}
    if configuration.tenant_settings(transaction.tenant).get("authorization_response_iss_parameter_supported"):
        values = {**values, "iss": transaction.tenant.issuer}
    target = parameters["redirect_uri"]
    mode = response_mode(parameters)
    if mode in ("form_post", "web_message"):
        return page(transaction.tenant, mode, target=target, values=values, origin=_origin(target))
    if mode == "fragment":
        return redirect(f"{target.partition('#')[0]}#{urlencode(values)}")
    return redirect(added_to(target, values))


def response_mode(parameters: dict[str, str]) -> str:
    by_type = "query" if parameters.get("response_type", "code").split() == ["code"] else "fragment"
    return parameters.get("response_mode") or by_type


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
