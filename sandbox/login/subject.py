"""One person signing in to one application, by whatever protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.login.capabilities import Capabilities
from sandbox.login.visitor import Visitor
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id

MFA = "mfa"


@dataclass
class Login:
    """What is known while someone signs in.

    protocol: as in event.transaction.protocol. scopes: asked for. audience: "" without an API. methods: how the person
    has proved who they are, oldest first, as event.authentication.methods has it; `fresh` of them in this transaction.
    transaction: further fields of event.transaction. session: the one that the login goes on with; replaces: the one
    that it ends.
    """

    tenant: Tenant
    client: Document
    connection: Document
    user_id: str
    visitor: Visitor
    protocol: str
    scopes: list[str] = field(default_factory=list)
    audience: str = ""
    organization: Document | None = None
    methods: list[dict[str, Any]] = field(default_factory=list)
    fresh: list[dict[str, Any]] = field(default_factory=list)
    transaction: dict[str, Any] = field(default_factory=dict)
    session: Document | None = None
    replaces: Document | None = None
    session_id: str = field(default_factory=lambda: new_id("", 32))
    refresh_token: Document | None = None
    # Of the key that the tokens are for (DPoP), "" for bearer tokens.
    thumbprint: str = ""
    # Value of the cookie that marks a remembered browser, and of the one that marks a known device.
    remembered: str = ""
    device: str = ""
    # None until the browser has been asked.
    capabilities: Capabilities | None = None
    # What the log has been told already: a page that is opened again repeats nothing.
    warnings: list[str] = field(default_factory=list)
    # The identity that signed in, "provider|id"; user_id may become that of the account it was linked to.
    identity: str = ""
    _seen: Document | None = None

    def __post_init__(self) -> None:
        self.identity = self.identity or self.user_id

    @property
    def user(self) -> Document:
        """The record as it is now; as it was last seen, where it was linked to another one meanwhile.

        KeyError when the user was deleted.
        """
        found = self.tenant.store.get("users", self.user_id)
        if found is None and (self._seen is None or not self.linked):
            raise KeyError(self.user_id)
        self._seen = found or self._seen
        return self._seen  # type: ignore[return-value]

    @property
    def linked(self) -> bool:
        """Whether the record has become part of another account."""
        return self.tenant.store.get("linked_identities", self.user_id) is not None

    @property
    def interactive(self) -> bool:
        """Whether a browser is there to show pages in."""
        return self.protocol in (
            "oidc-basic-profile",
            "oidc-implicit-profile",
            "oidc-hybrid-profile",
            "oauth2-device-code",
        )

    @property
    def fresh_first_factor(self) -> bool:
        """Whether the person proved who they are just now, not only by an earlier session."""
        return any(method["name"] != MFA for method in self.fresh)

    def add_method(self, name: str, **fields: Any) -> None:
        method = {"name": name, **fields, "timestamp": self.tenant.timestamp()}
        self.methods = [*self.methods, method]
        self.fresh = [*self.fresh, method]

    def passed_mfa(self, *, fresh: bool = False) -> bool:
        return any(method["name"] == MFA for method in (self.fresh if fresh else self.methods))
