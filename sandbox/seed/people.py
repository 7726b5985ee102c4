"""The people of Larkspur Outfitters: staff with their roles, and some 5,000 customers with believable names."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from sandbox import passwords
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import memberships, records

DOMAIN = "larkspur.example"
STAFF_PASSWORD = "Castellan-demo-1"
CUSTOMER_PASSWORD = "Larkspur-demo-1"
CUSTOMERS = 5000
DATABASE = "Username-Password-Authentication"
CUSTOMER_DATABASE = "larkspur-customers"
SOCIAL = "google-oauth2"

# account -> (name, role without its prefix)
STAFF: dict[str, tuple[str, str]] = {
    "helpdesk": ("Hanna Brandt", "helpdesk"),
    "security": ("Samuel Okafor", "security"),
    "release": ("Rosa Lindqvist", "release-manager"),
    "release2": ("Ravi Menon", "release-manager"),
    "databases": ("Dana Whitfield", "database-owner"),
    "auditor": ("Aurelio Conti", "auditor"),
    "admin": ("Ama Sarpong", "administrator"),
    "ada.norole": ("Ada Nørby", ""),
}
DOMAINS = (
    ("fernmail.example", 30),
    ("postbox.example", 25),
    ("harbourline.example", 12),
    ("millbrook.example", 10),
    ("quillworks.example", 8),
    ("northgate.example", 8),
    ("sunfield.example", 7),
)


def fill(tenant: Tenant) -> None:
    """Staff with roles, then customers: the same people with the same ids in each run, other ids per tenant."""
    chance = random.Random(f"larkspur {tenant.name}")
    _staff(tenant, chance)
    secret, taken = passwords.hash(CUSTOMER_PASSWORD), set[str]()
    for number, (given, family) in enumerate(_names(chance)):
        user = _customer(tenant, chance, taken, number, given, family)
        if user["identities"][0]["provider"] == "auth0":
            user["_password"] = secret
        tenant.store.put("users", user["user_id"], user)


def _staff(tenant: Tenant, chance: random.Random) -> None:
    secret = passwords.hash(STAFF_PASSWORD)
    for account, (name, role) in STAFF.items():
        given, _, family = name.partition(" ")
        user = _document(tenant, chance, DATABASE, "auth0", email=f"{account}@{DOMAIN}", given=given, family=family)
        tenant.store.put("users", user["user_id"], user | {"email_verified": True, "_password": secret})
        found = tenant.store.first("roles", name=f"castellan-{role}")
        if found:
            memberships.assign_roles(tenant, user["user_id"], [found["id"]])


def _customer(tenant: Tenant, chance: random.Random, taken: set[str], number: int, given: str, family: str) -> Document:
    domain = chance.choices([d for d, _ in DOMAINS], [w for _, w in DOMAINS])[0]
    email = f"{_ascii(given)}.{_ascii(family)}{number if chance.random() < 0.4 else ''}@{domain}"
    social = chance.random() < 0.12
    connection = SOCIAL if social else CUSTOMER_DATABASE
    if email in taken:
        email = email.replace("@", f".{number}@")
    taken.add(email)
    user = _document(tenant, chance, connection, SOCIAL if social else "auth0", email=email, given=given, family=family)
    if not social and number % 97 == 5:
        # Signed up with a username alone: nobody can send these people a mail.
        del user["email"], user["email_verified"]
        user |= {"username": f"{_ascii(given)}{number}", "name": f"{given} {family}"}
    return user | _habits(tenant, chance, number)


def _document(
    tenant: Tenant, chance: random.Random, connection: str, provider: str, *, email: str, given: str, family: str
) -> Document:
    id = str(chance.randrange(10**20, 10**21)) if provider == SOCIAL else f"{chance.getrandbits(96):024x}"
    created = tenant.timestamp(tenant.now() - chance.randrange(40, 900) * 86400 - chance.randrange(86400))
    return {
        "created_at": created,
        "email": email,
        "email_verified": True,
        "family_name": family,
        "given_name": given,
        "identities": [{"connection": connection, "user_id": id, "provider": provider, "isSocial": provider == SOCIAL}],
        "name": f"{given} {family}",
        "nickname": email.partition("@")[0],
        "picture": records.picture(email),
        "updated_at": created,
        "user_id": f"{provider}|{id}",
    }


def _habits(tenant: Tenant, chance: random.Random, number: int) -> dict[str, Any]:
    """Some have never signed in, some are blocked or unverified, most come now and then."""
    more: dict[str, Any] = {}
    if chance.random() < 0.06 and number % 97 != 5:
        more["email_verified"] = False
    if chance.random() < 0.012:
        more["blocked"] = True
    if chance.random() > 0.07:
        seconds = tenant.now() - min(chance.expovariate(1 / 20), 300) * 86400
        more |= {
            "last_ip": f"203.0.113.{chance.randrange(1, 255)}",
            "last_login": tenant.timestamp(seconds),
            "logins_count": 1 + int(chance.expovariate(1 / 25)),
            "updated_at": tenant.timestamp(seconds),
        }
    if chance.random() < 0.15:
        more["phone_number"] = f"+4915{chance.randrange(10**8, 10**9)}"
        more["phone_verified"] = chance.random() < 0.8
    if chance.random() < 0.3:
        more["user_metadata"] = {"newsletter": chance.random() < 0.5, "size": chance.choice(["S", "M", "L", "XL"])}
    if chance.random() < 0.2:
        more["app_metadata"] = {"customer_number": f"LK-{100000 + number}", "tier": chance.choice(["silver", "gold"])}
    return more


def _names(chance: random.Random) -> Iterator[tuple[str, str]]:
    from faker.providers.person.de_DE import Provider as German
    from faker.providers.person.en_GB import Provider as English
    from faker.providers.person.fr_FR import Provider as French

    given = sorted({n for p in (English, German, French) for n in p.first_names if " " not in n})
    family = sorted({n for p in (English, German, French) for n in p.last_names if " " not in n})
    for _ in range(CUSTOMERS):
        yield chance.choice(given), chance.choice(family)


def _ascii(name: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss").replace("ø", "o"))
    return "".join(c for c in folded if c.isascii() and (c.isalnum() or c == "-")).strip("-")
