"""What the browser can do, as its own scripts find out: Auth0's hidden fields of the login pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Capabilities:
    """webauthn: security keys and passkeys; platform: the device's own fingerprint reader, camera or PIN."""

    webauthn: bool
    platform: bool

    def allow(self, type: str) -> bool:
        """Whether this factor works in the browser."""
        return {"webauthn-platform": self.platform, "webauthn-roaming": self.webauthn}.get(type, True)


def told(form: Mapping[str, Any]) -> Capabilities | None:
    """What a form tells; None where it does not say. Without scripts the fields say no."""
    if "webauthn-available" not in form:
        return None
    webauthn = form["webauthn-available"] == "true"
    return Capabilities(webauthn, webauthn and form.get("webauthn-platform-available") == "true")
