"""Codes of authenticator apps (RFC 6238)."""

from __future__ import annotations

import base64

import pyotp


class Authenticator(pyotp.TOTP):
    """Takes the short secrets, too, that many apps and services still hand out; pyotp itself wants 112 bits."""

    def byte_secret(self) -> bytes:
        return base64.b32decode(self.secret + "=" * (-len(self.secret) % 8), casefold=True)
