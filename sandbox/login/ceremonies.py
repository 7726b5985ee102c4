"""WebAuthn ceremonies: what an authenticator is asked, and whether its answer proves the key.

The library is loaded at the first ceremony: most logins need none.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.login import configuration, public_keys
from sandbox.store import Document
from sandbox.tenant import Tenant

LONGEST_ANSWER = 20_000
ALGORITHMS = (-8, -7, -257)


@dataclass(frozen=True)
class Use:
    """What keys are for. attachment: "" for any; user_verification: "" as the factor's settings say."""

    attachment: str
    resident_key: str
    user_verification: str


USES = {
    "webauthn-roaming": Use("cross-platform", "discouraged", ""),
    "webauthn-platform": Use("platform", "discouraged", "required"),
    "passkey": Use("", "required", "preferred"),
    "local-passkey": Use("platform", "required", "preferred"),
}


@dataclass(frozen=True)
class Ceremony:
    """A question to an authenticator, to be answered once. user_handle: whom a new key is for."""

    use: str
    challenge: bytes
    user_handle: bytes = b""


class NotProven(Exception):  # noqa: N818 - a decision, not a fault
    """The text is for the log; `page_text` for the person."""

    def __init__(self, reason: str, page_text: str) -> None:
        super().__init__(reason)
        self.page_text = page_text


def relying_party(tenant: Tenant, use: str) -> str:
    """The id that keys are bound to: this machine's name, unless the factor's settings name another domain."""
    settings = configuration.setting(tenant, f"guardian/factors/{use}/settings")
    if settings.get("overrideRelyingParty") and settings.get("relyingPartyIdentifier"):
        return str(settings["relyingPartyIdentifier"])
    return "localhost"


def user_verification(tenant: Tenant, use: str) -> str:
    settings = configuration.setting(tenant, f"guardian/factors/{use}/settings")
    return USES[use].user_verification or str(settings.get("userVerification") or "preferred")


def to_create(
    tenant: Tenant, use: str, *, name: str, known: list[Document], handle: bytes = b""
) -> tuple[Ceremony, str]:
    """Ask for a new key. The second value is what navigator.credentials.create takes, as JSON.

    name: what the person calls the account; known: methods whose keys must not be registered again.
    """
    import webauthn  # noqa: PLC0415 - see above
    from webauthn.helpers import structs  # noqa: PLC0415

    ceremony = Ceremony(use, secrets.token_bytes(32), handle or secrets.token_bytes(32))
    wanted = USES[use]
    options = webauthn.generate_registration_options(
        rp_id=relying_party(tenant, use),
        rp_name=configuration.friendly_name(tenant),
        user_name=name,
        user_display_name=name,
        user_id=ceremony.user_handle,
        challenge=ceremony.challenge,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            authenticator_attachment=structs.AuthenticatorAttachment(wanted.attachment) if wanted.attachment else None,
            resident_key=structs.ResidentKeyRequirement(wanted.resident_key),
            user_verification=structs.UserVerificationRequirement(user_verification(tenant, use)),
        ),
        exclude_credentials=_descriptors(known),
        supported_pub_key_algs=[webauthn.helpers.cose.COSEAlgorithmIdentifier(id) for id in ALGORITHMS],
    )
    return ceremony, webauthn.options_to_json(options)


def to_get(tenant: Tenant, use: str, *, allowed: list[Document]) -> tuple[Ceremony, str]:
    """Ask for the proof of a key. The second value is what navigator.credentials.get takes, as JSON.

    allowed: methods that may answer; none for a key that the person finds by itself (a passkey).
    """
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import structs  # noqa: PLC0415

    ceremony = Ceremony(use, secrets.token_bytes(32))
    options = webauthn.generate_authentication_options(
        rp_id=relying_party(tenant, use),
        challenge=ceremony.challenge,
        allow_credentials=_descriptors(allowed),
        user_verification=structs.UserVerificationRequirement(user_verification(tenant, use)),
    )
    return ceremony, webauthn.options_to_json(options)


def created(tenant: Tenant, ceremony: Ceremony | None, use: str, answer: str) -> dict[str, Any]:
    """The fields of the method that holds the new key. Raises NotProven."""
    import webauthn  # noqa: PLC0415

    ceremony, sent = _asked(ceremony, use), _parsed(answer)
    rp_id = relying_party(tenant, use)
    with _judging("The new key could not be verified. Please try again."):
        found = webauthn.verify_registration_response(
            credential=sent,
            expected_challenge=ceremony.challenge,
            expected_rp_id=rp_id,
            expected_origin=_origins(tenant),
            require_user_verification=user_verification(tenant, use) == "required",
            supported_pub_key_algs=[webauthn.helpers.cose.COSEAlgorithmIdentifier(id) for id in ALGORITHMS],
        )
    key_id = webauthn.helpers.bytes_to_base64url(found.credential_id)
    if tenant.store.first("authentication_methods", key_id=key_id) is not None:
        raise NotProven("The key is registered already", "This key is registered already. Use another one.")
    return {
        "key_id": key_id,
        "public_key": base64.b64encode(found.credential_public_key).decode(),
        "relying_party_identifier": rp_id,
        "_sign_count": found.sign_count,
        **(_of_passkey(ceremony, sent, found) if use.endswith("passkey") else {}),
    }


def _of_passkey(ceremony: Ceremony, sent: dict[str, Any], found: Any) -> dict[str, Any]:
    transports = sent["response"].get("transports")
    return {
        "aaguid": found.aaguid,
        "credential_device_type": found.credential_device_type.value,
        "credential_backed_up": found.credential_backed_up,
        "user_handle": base64.urlsafe_b64encode(ceremony.user_handle).decode().rstrip("="),
        "transports": [text[:20] for text in transports if isinstance(text, str)][:10] if transports else [],
    }


def proven(
    tenant: Tenant, ceremony: Ceremony | None, use: str, answer: str, methods: list[Document] | None
) -> Document:
    """The method whose key answered, with its new sign count (not stored yet). Raises NotProven.

    methods: those that may answer; None for any passkey of the tenant.
    """
    import webauthn  # noqa: PLC0415

    ceremony, sent = _asked(ceremony, use), _parsed(answer)
    method = _holder(tenant, str(sent.get("id") or ""), methods)
    if method is None:
        raise NotProven("The key is not registered for this user", "This key is not known here. Try another one.")
    with _judging("The key could not be verified. Please try again."):
        found = webauthn.verify_authentication_response(
            credential=sent,
            expected_challenge=ceremony.challenge,
            expected_rp_id=relying_party(tenant, use),
            expected_origin=_origins(tenant),
            credential_public_key=public_keys.cose(method["public_key"]),
            credential_current_sign_count=int(method.get("_sign_count") or 0),
            require_user_verification=user_verification(tenant, use) == "required",
        )
        handle = sent["response"].get("userHandle")
        if handle and method.get("user_handle") and handle.rstrip("=") != method["user_handle"].rstrip("="):
            raise ValueError("The user handle belongs to somebody else")
    return {**method, "_sign_count": found.new_sign_count}


def attachment(answer: str) -> str:
    """Where the key of a credential lives: "platform", "cross-platform", "" where the browser does not say."""
    return str(_parsed(answer).get("authenticatorAttachment") or "")


def _holder(tenant: Tenant, key_id: str, methods: list[Document] | None) -> Document | None:
    if methods is None:
        methods = tenant.store.find("authentication_methods", key_id=key_id, type="passkey") if key_id else []
    return next((method for method in methods if method.get("key_id", "").rstrip("=") == key_id), None)


def _origins(tenant: Tenant) -> list[str]:
    return [tenant.browser_url.rstrip("/"), tenant.issuer.rstrip("/")]


def _descriptors(methods: list[Document]) -> list[Any]:
    from webauthn.helpers import base64url_to_bytes, structs  # noqa: PLC0415

    found = []
    for method in methods:
        try:
            found.append(structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(method["key_id"])))
        except binascii.Error:  # written by the Management API in another form: no authenticator holds it
            continue
    return found


def _asked(ceremony: Ceremony | None, use: str) -> Ceremony:
    """What was asked for one use proves nothing for another: that may want less of the key."""
    if ceremony is None or ceremony.use != use:
        raise NotProven("The challenge was answered before", "This page was used already. Please try again.")
    return ceremony


def _parsed(answer: str) -> dict[str, Any]:
    try:
        sent = orjson.loads(answer) if len(answer) <= LONGEST_ANSWER else None
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or not isinstance(sent.get("response"), dict):
        raise NotProven("The answer is no WebAuthn credential", "The browser sent no key. Please try again.")
    return sent


@contextmanager
def _judging(page_text: str) -> Iterator[None]:
    """Turns what the library raises into NotProven; it has many kinds of errors for malformed answers."""
    try:
        yield
    except Exception as problem:
        raise NotProven(str(problem) or type(problem).__name__, page_text) from None
