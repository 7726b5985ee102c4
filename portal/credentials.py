"""Key pairs for private key JWT: made here, registered with Auth0 by a person, taken into use when they have worked."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from portal import audit, tenants
from portal.errors import Invalid
from portal.models import Tenant

# application -> the tenant's fields of its secret, of its private key, and of the key that waits
FIELDS: dict[str, tuple[str, str, str]] = {
    "writer": ("client_secret", "private_key", "pending_private_key"),
    "reader": ("reader_client_secret", "reader_private_key", "pending_reader_private_key"),
}


@dataclass(frozen=True)
class Keys:
    """How an application signs in: the public halves (PEM) of the key in use and of the one that waits, or ""."""

    application: str
    client_id: str
    in_use: str
    waiting: str

    @property
    def title(self) -> str:
        return "Credentials" if self.application == "writer" else "Credentials of the reading application"

    @property
    def anchor(self) -> str:
        return f"credentials-{self.application}"


def generate_key(tenant: Tenant, *, actor: Any, application: str = "writer") -> str:
    """Make a key pair and keep it aside; returns the public key (PEM) to register with Auth0."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    _set_aside(tenant, application, pem, actor, "New key pair made; the stored credentials stay in use until it works.")
    return public_half(pem)


def discard_new_key(tenant: Tenant, *, actor: Any, application: str = "writer") -> None:
    """Throw the waiting key pair away; the stored credentials stay in use."""
    _set_aside(tenant, application, "", actor, "The key pair that waited was thrown away.")


def use_new_key(tenant: Tenant, *, actor: Any, application: str = "writer") -> None:
    """Sign in with the waiting key once; where that works it takes the place of the old credentials.

    Raises Invalid where no key waits or Auth0 does not know it yet; then nothing changes.
    """
    secret, key, waiting = FIELDS[application]
    if not getattr(tenant, waiting):
        raise Invalid("There is no new key. Make one first.")
    candidate = copy.copy(tenant)
    setattr(candidate, key, getattr(tenant, waiting))
    setattr(candidate, secret, "")
    setattr(candidate, waiting, "")
    tenants.save(candidate, actor=actor)


def keys_of(tenant: Tenant) -> list[Keys]:
    """Of the application, and of the reading one where there is one."""
    names = [name for name in FIELDS if name == "writer" or tenant.reader_client_id]
    return [
        Keys(
            application=name,
            client_id=tenant.client_id if name == "writer" else tenant.reader_client_id,
            in_use=public_half(getattr(tenant, FIELDS[name][1])),
            waiting=public_half(getattr(tenant, FIELDS[name][2])),
        )
        for name in names
    ]


def public_half(private_key: str) -> str:
    """The public key (PEM) that belongs to a private one; "" where there is none."""
    if not private_key:
        return ""
    key = serialization.load_pem_private_key(private_key.encode(), password=None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _set_aside(tenant: Tenant, application: str, pem: str, actor: Any, detail: str) -> None:
    waiting = FIELDS[application][2]
    with audit.recorded(actor, "tenants.manage", tenant=tenant, target=tenant.slug, target_label=tenant.name) as entry:
        setattr(tenant, waiting, pem)
        tenant.save(update_fields=[waiting])
        entry.detail = detail
