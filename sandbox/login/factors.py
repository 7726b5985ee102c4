"""Second factors: what each is called where, which the tenant offers, which a user has, and enrolling in them."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from typing import Any

import pyotp

from sandbox import logs
from sandbox.login import configuration
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id
from sandbox.users import records

RECOVERY_CODE_LENGTH = 24
_CODE_ALPHABET = string.ascii_uppercase + string.digits
PHONE_NUMBER = re.compile(r"^\+[1-9][0-9]{6,14}$")


@dataclass(frozen=True)
class Factor:
    """One row of Auth0's four vocabularies.

    type: in Actions; guardian: in /guardian/factors; methods: `type` of authentication methods; api: authenticator_type
    and oob_channel of the MFA API ("" where it has none).
    """

    type: str
    guardian: str
    methods: tuple[str, ...]
    api: str
    channel: str
    label: str
    enrollable: bool = True


FACTORS: dict[str, Factor] = {
    factor.type: factor
    for factor in (
        Factor("otp", "otp", ("totp",), "otp", "", "Google Authenticator or similar"),
        Factor("phone", "sms", ("phone",), "oob", "sms", "Phone"),
        Factor("push-notification", "push-notification", ("push", "guardian"), "oob", "auth0", "Guardian push"),
        Factor("webauthn-roaming", "webauthn-roaming", ("webauthn-roaming",), "", "", "Security key"),
        Factor("webauthn-platform", "webauthn-platform", ("webauthn-platform",), "", "", "Device biometrics"),
        Factor("email", "email", ("email",), "oob", "email", "Email", enrollable=False),
        Factor("recovery-code", "recovery-code", ("recovery-code",), "recovery-code", "", "Recovery code"),
        # Cisco's own service keeps who is enrolled; nothing of it is an authentication method.
        Factor("duo", "duo", (), "", "", "Duo", enrollable=False),
    )
}
ALIASES = {"sms": "phone", "voice": "phone", "push": "push-notification", "totp": "otp"}
# A user can't start with these: they hang on another factor or on a verified address.
DEPENDENT = frozenset(["email", "recovery-code", "webauthn-platform"])
WEBAUTHN = ("webauthn-roaming", "webauthn-platform")


def known(name: Any) -> str:
    """The type in the words of Actions' challenge and enroll commands, "" for an unknown one."""
    name = name.get("type") if isinstance(name, dict) else name
    name = ALIASES.get(str(name), str(name))
    return name if name in FACTORS and name != "duo" else ""


def enabled(tenant: Tenant) -> list[str]:
    """What the tenant offers. Duo counts only where it is the one factor (docs: Configure Cisco Duo for MFA)."""
    found = [f.type for f in FACTORS.values() if configuration.factor_enabled(tenant, f.guardian)]
    return [type for type in found if type != "duo" or found == ["duo"]]


def methods(tenant: Tenant, user_id: str, type: str | None = None) -> list[Document]:
    """The user's confirmed authentication methods (of one factor)."""
    found = [m for m in tenant.store.find("authentication_methods", user_id=user_id) if m.get("confirmed", True)]
    return found if type is None else [m for m in found if m["type"] in FACTORS[type].methods]


def enrolled(tenant: Tenant, user: Document) -> list[str]:
    """The factors that the user could be challenged with, whether the tenant offers them or not."""
    types = {m["type"] for m in methods(tenant, user["user_id"])}
    found = [f.type for f in FACTORS.values() if types & set(f.methods)]
    if user.get("email") and user.get("email_verified") and "email" not in found:
        found.append("email")
    return found


def independent(tenant: Tenant, user: Document) -> list[str]:
    """Enrolled and offered factors that stand on their own."""
    offered = enabled(tenant)
    return [type for type in enrolled(tenant, user) if type in offered and type not in DEPENDENT]


def usable(tenant: Tenant, user: Document) -> list[str]:
    offered = enabled(tenant)
    return [type for type in enrolled(tenant, user) if type in offered]


def enrollable(tenant: Tenant, user: Document) -> list[str]:
    has = enrolled(tenant, user)
    return [t for t in enabled(tenant) if FACTORS[t].enrollable and t not in has]


def described(tenant: Tenant, user: Document) -> list[dict[str, Any]]:
    """event.user.enrolledFactors."""
    return [_described(tenant, user["user_id"], type) for type in enrolled(tenant, user)]


def _described(tenant: Tenant, user_id: str, type: str) -> dict[str, Any]:
    if type != "phone":
        return {"type": type}
    method = methods(tenant, user_id, type)[0]
    return {"type": type, "options": {"preferredMethod": method.get("preferred_authentication_method", "sms")}}


def virtual(tenant: Tenant, user_id: str, type: str) -> list[Document]:
    """Keys of the seed that nobody holds: the sandbox answers for them. Every enrolled key has its public key."""
    return [m for m in methods(tenant, user_id, type) if type in WEBAUTHN and not m.get("public_key")]


def new_secret() -> str:
    return pyotp.random_base32()


def otpauth(tenant: Tenant, user: Document, secret: str) -> str:
    """What the QR code holds."""
    name = user.get("email") or user.get("username") or user["user_id"]
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=configuration.friendly_name(tenant))


def enroll(tenant: Tenant, user_id: str, type: str, **fields: Any) -> Document:
    """Add a confirmed method, a passkey too. `fields` are the method's own: _secret, phone_number, name ..."""
    method_type = FACTORS[type].methods[0] if type in FACTORS else type
    id = new_id(f"{method_type}|" if method_type == "recovery-code" else f"{method_type}|dev_", 16)
    now = tenant.timestamp()
    method = {
        "id": id,
        "user_id": user_id,
        "type": method_type,
        "confirmed": True,
        "created_at": now,
        "enrolled_at": now,
        "last_auth_at": now,
        **fields,
    }
    tenant.store.put("authentication_methods", id, method)
    logs.write(
        tenant,
        "gd_enrollment_complete",
        user_id=user_id,
        description=f"Guardian - Enrollment complete ({type})",
        details={"authenticator": {"type": method_type}},
    )
    return method


def enroll_in_duo(tenant: Tenant, user: Document) -> None:
    """Duo itself keeps who is enrolled; the profile names the provider."""
    providers = user.get("multifactor") or []
    if "duo" not in providers:
        records.update(tenant, user["user_id"], {"multifactor": [*providers, "duo"]})


def touch(tenant: Tenant, method: Document, **changes: Any) -> None:
    """Note that a method was used."""
    changed = {**method, "last_auth_at": tenant.timestamp(), **changes}
    tenant.store.put("authentication_methods", method["id"], changed)


def new_recovery_code(tenant: Tenant, user_id: str) -> str:
    """Make (or replace) the user's recovery code. It is shown this once."""
    for old in methods(tenant, user_id, "recovery-code"):
        tenant.store.remove("authentication_methods", old["id"])
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(RECOVERY_CODE_LENGTH))
    enroll(tenant, user_id, "recovery-code", _secret=code)
    return code


def recovery_code_due(tenant: Tenant, user_id: str) -> bool:
    """Whether the user should get a recovery code with the factor just enrolled."""
    return configuration.factor_enabled(tenant, "recovery-code") and not methods(tenant, user_id, "recovery-code")
