"""What can go wrong, named by the decision that the reader takes.

    PortalError
    ├─ Refused          it may not be done; says why
    │  ├─ Denied        the person lacks a right; says which, and who grants it
    │  ├─ MissingScope  our machine-to-machine application lacks a scope of the Management API
    │  ├─ NotConnected  our credentials for the tenant do not work
    │  └─ ReadOnly      this installation or tenant is set to read only
    ├─ Invalid          the input is wrong; says what to mend
    ├─ Missing          Auth0 (or the portal) does not have it
    ├─ Conflict         it changed under us, or exists already; reload and look
    └─ Unavailable      try again later; the only one that is ever retried
       ├─ NoCache       not Auth0 is away but our own cache and queue
       └─ Unknown       a write whose answer was lost: it may or may not have been done
    Cancelled           a person asked background work to stop, and it has come to a place where it can

Each carries a sentence for a person; `status` is the HTTP status of the page that shows it.
"""

from __future__ import annotations


class PortalError(Exception):
    status = 500
    template = "errors/500.html"

    def __init__(self, message: str, *, request_id: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.code = code


class Refused(PortalError):
    status = 403
    template = "errors/refused.html"


class Denied(Refused):
    """`permission` is a key of portal.access.PERMISSIONS."""

    template = "errors/403.html"

    def __init__(self, permission: str, message: str = "") -> None:
        super().__init__(message or f"You do not have the right “{permission}”.")
        self.permission = permission


class MissingScope(Refused):
    """`scopes`: any one of them would do, as Auth0 says; with `every`, all are needed."""

    template = "errors/missing_scope.html"

    def __init__(self, scopes: list[str], tenant: str, *, request_id: str = "", every: bool = False) -> None:
        self.scopes, self.joint = scopes, "and" if every else "or"
        several = every and len(scopes) > 1
        super().__init__(
            f"The machine-to-machine application of {tenant} lacks the scope{'s' if several else ''} "
            f"{f' {self.joint} '.join(scopes)}. Grant {'them' if several else 'it'} in Auth0: Applications > APIs > "
            "Auth0 Management API > Machine to Machine Applications.",
            request_id=request_id,
            code="insufficient_scope",
        )


class NotConnected(Refused):
    status = 502
    template = "errors/not_connected.html"


class ReadOnly(Refused):
    status = 409


class Invalid(PortalError):
    status = 400
    template = "errors/400.html"


class Missing(PortalError):
    status = 404
    template = "errors/404.html"


class Conflict(PortalError):
    status = 409
    template = "errors/409.html"


class Unavailable(PortalError):
    status = 503
    template = "errors/unavailable.html"

    def __init__(self, message: str, *, retry_after_seconds: float = 0, request_id: str = "", code: str = "") -> None:
        super().__init__(message, request_id=request_id, code=code)
        self.retry_after_seconds = retry_after_seconds


class NoCache(Unavailable):
    template = "errors/no_cache.html"


class Unknown(Unavailable):
    template = "errors/unknown.html"


class Cancelled(Exception):
    """A decision, not an error: portal.runs ends the run as cancelled."""
