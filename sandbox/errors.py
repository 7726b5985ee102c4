"""The two families of errors that Auth0 answers with; raised anywhere, rendered in one place (sandbox.app)."""

from __future__ import annotations

from http import HTTPStatus


class ApiError(Exception):
    """Management API: {"statusCode", "error", "message", "errorCode"?}."""

    def __init__(self, status: int, message: str, code: str | None = None, **extra: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"statusCode": status, "error": HTTPStatus(status).phrase, "message": message, **extra}
        if code:
            self.body["errorCode"] = code


class OAuthError(Exception):
    """Authentication API: {"error", "error_description", ...}."""

    headers: dict[str, str] | None = None

    def __init__(self, status: int, error: str, description: str, **extra: object) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.body = {"error": error, "error_description": description, **extra}


TOO_MANY_REQUESTS = (
    "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers."
)


class TooManyRequests(OAuthError):  # noqa: N818 - a decision, not a fault
    """429 of the Authentication API, with the X-RateLimit headers."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        super().__init__(429, "too_many_requests", TOO_MANY_REQUESTS)
        self.headers = headers
