"""Turns our errors into pages, and gives each request an id that a person can quote."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis import RedisError

from portal.access import PERMISSIONS, granted_by
from portal.errors import Denied, NoCache, PortalError, Unavailable, Unknown

logger = logging.getLogger(__name__)
SECRET_FIELD = re.compile("password|secret|private_key|token", re.IGNORECASE)


class RequestIds:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.id = uuid.uuid4().hex[:12]  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request.id  # type: ignore[attr-defined]
        return response


class ErrorPages:
    """A PortalError from a view becomes its page (or a fragment for htmx), with a retry where that is right."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, RedisError):
            logger.error("The cache does not answer: %s", type(exception).__name__)
            exception = _away(request)
        if not isinstance(exception, PortalError):
            return None
        logger.info("%s %s: %s", request.method, request.path, exception.message)
        response = render(request, exception.template, _context(request, exception), status=exception.status)
        if isinstance(exception, Unavailable) and exception.retry_after_seconds:
            response.headers["Retry-After"] = str(int(exception.retry_after_seconds) + 1)
        return response


def _away(request: HttpRequest) -> PortalError:
    """The cache and queue have failed: before anything was done, or after a form was half carried out."""
    said = "Redis or Valkey, which Castellan keeps its tokens and its queue in, does not answer."
    return NoCache(said) if request.method == "GET" else Unknown(said)


def _context(request: HttpRequest, error: PortalError) -> dict[str, Any]:
    permission = error.permission if isinstance(error, Denied) else ""
    # What was typed comes back as hidden fields of the retry form, so that nothing is lost. A secret is never written
    # into a page: then the way is back to the form, where the browser still holds it.
    names = [name for name in request.POST if name != "csrfmiddlewaretoken"]
    secret = any(_is_secret(request, name) and request.POST[name] for name in names)
    can_retry = isinstance(error, Unavailable) and not isinstance(error, Unknown)
    return {
        "error": error,
        "request_id": request.id,  # type: ignore[attr-defined]
        "retry": can_retry and not secret,
        "retry_by_going_back": can_retry and secret,
        "retry_fields": [(name, value) for name in names for value in request.POST.getlist(name)] if not secret else [],
        "permission": permission,
        "permission_label": PERMISSIONS.get(permission, ""),
        "granted_by": granted_by(permission) if permission else [],
    }


def _is_secret(request: HttpRequest, name: str) -> bool:
    """By its name, or because the view says so (Django's sensitive_post_parameters)."""
    told = getattr(request, "sensitive_post_parameters", ())
    return told == "__ALL__" or name in told or bool(SECRET_FIELD.search(name))
