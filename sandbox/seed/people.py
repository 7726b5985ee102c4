"""The people of Larkspur Outfitters: staff with accounts to try, employees, and some thousands of customers."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import passwords
from sandbox.seed.names import BROWSERS, FAMILY, GIVEN, MAIL_DOMAINS, PLACES
from sandbox.store import Document
from sandbox.tenant import Tenant, written
from sandbox.users import documents

STAFF_CONNECTION = "Username-Password-Authentication"
CUSTOMERS = "larkspur-customers"
LEGACY = "legacy-store"
GOOGLE = "google-oauth2"
STAFF_PASSWORD = "Castellan-demo-1"
PASSWORD = "Larkspur-demo-1"
STAFF_DOMAIN = "larkspur.example"
PARTNER_DOMAIN = "harbourline.example"

# local part of the address -> (name, roles without their prefix)
STAFF: dict[str, tuple[str, tuple[str, ...]]] = {
    "helpdesk": ("Hannah Whitfield", ("helpdesk",)),
    "security": ("Samir Okafor", ("security",)),
    "release": ("Renata Lindgren", ("release-manager",)),
    "release2": ("Rohan Mehta", ("release-manager", "security", "database-owner")),
    "databases": ("Dagny Holm", ("database-owner",)),
    "auditor": ("Aurelio Ricci", ("auditor",)),
    "admin": ("Annika Bauer", ("administrator",)),
    "ada.norole": ("Ada Norton", ()),
}
_TIERS = ("seedling", "sapling", "evergreen", "perennial")
_hashes: dict[str, str] = {}


def _hash(password: str) -> str:
    if password not in _hashes:
        _hashes[password] = passwords.hash(password)
    return _hashes[password]


class People:
    """Makes users of one tenant, the same ones at every start (times are relative to the start)."""

    def __init__(self, tenant: Tenant, connections: dict[str, Document], chance: random.Random) -> None:
        self.tenant = tenant
        self.connections = connections
        self.chance = chance
        self.now = datetime.fromtimestamp(tenant.now(), UTC)
        self.taken: set[str] = set()

    def staff(self) -> list[Document]:
        return [self._member(local, name) for local, (name, _) in STAFF.items()]

    def _member(self, local: str, name: str) -> Document:
        given, _, family = name.partition(" ")
        return self._user(
            STAFF_CONNECTION,
            {
                "email": f"{local}@{STAFF_DOMAIN}",
                "email_verified": True,
                "given_name": given,
                "family_name": family,
                "name": name,
                "app_metadata": {"department": "Operations"},
            },
            password=STAFF_PASSWORD,
            seen=True,
        )

    def employees(self, count: int) -> Iterator[Document]:
        """Shop and warehouse people of Larkspur, and of Harbourline, who sells its goods."""
        for number in range(count):
            domain = PARTNER_DOMAIN if number % 3 == 2 else STAFF_DOMAIN
            body = self._person(domain, by_name=True)
            department = self.chance.choice(("Stores", "Warehouse", "Customer care", "Finance", "Design"))
            body["app_metadata"] = {"department": department, "employee_number": f"LK{10_000 + number}"}
            yield self._user(STAFF_CONNECTION, body)

    def customers(self, count: int) -> Iterator[Document]:
        for number in range(count):
            yield self._user(CUSTOMERS, self._customer(number))

    def google_customers(self, count: int) -> Iterator[Document]:
        for number in range(count):
            body = self._customer(number)
            body["email_verified"] = True
            body["user_id"] = str(self.chance.randrange(10**20, 10**21))
            yield self._user(GOOGLE, body, password=None)

    def legacy_customers(self, rows: list[Document]) -> Iterator[Document]:
        """Those of the old shop who have signed in before: a record, but no password here."""
        for row in rows:
            body = {
                "user_id": row["customer_no"],
                "email": row["email"],
                "email_verified": row["verified"],
                "given_name": row["first"],
                "family_name": row["last"],
                "name": f"{row['first']} {row['last']}",
            }
            yield self._user(LEGACY, body, password=None, seen=True)

    def legacy_people(self, count: int) -> list[Document]:
        return [self._person(self._mail_domain(), by_name=True) for _ in range(count)]

    def _customer(self, number: int) -> Document:
        body = self._person(self._mail_domain(), by_name=False)
        country, town, prefix, _ = self.chance.choice(PLACES)
        body["user_metadata"] = {
            "country": country,
            "town": town,
            "newsletter": self.chance.random() < 0.4,
            "locale": {"DE": "de", "FR": "fr", "SE": "sv", "NL": "nl"}.get(country, "en"),
        }
        body["app_metadata"] = {
            "customer_number": f"C{200_000 + number}",
            "loyalty_tier": self.chance.choices(_TIERS, (60, 25, 12, 3))[0],
        }
        if self.chance.random() < 0.02:
            body["app_metadata"]["closed_at"] = self._ago(self.chance.uniform(1, 29))
        if self.chance.random() < 0.15:
            body["phone_number"] = f"{prefix}{self.chance.randrange(1000):03d}"
            body["phone_verified"] = self.chance.random() < 0.8
        return body

    def _person(self, domain: str, *, by_name: bool) -> Document:
        given, family = self.chance.choice(GIVEN), self.chance.choice(FAMILY)
        forms = [f"{given}.{family}"]
        if not by_name:
            forms += [f"{given[0]}.{family}", f"{given}{family[0]}", f"{family}.{given}", f"{given}_{family}"]
        email = self._free_address(self.chance.choice(forms), domain)
        return {
            "email": email,
            "email_verified": self.chance.random() < 0.93,
            "given_name": given,
            "family_name": family,
            "name": f"{given} {family}",
        }

    def _free_address(self, local: str, domain: str) -> str:
        plain = unicodedata.normalize("NFKD", local.lower().replace("ø", "o")).encode("ascii", "ignore").decode()
        plain = plain.replace("'", "")
        address, number = f"{plain}@{domain}", 1
        while address in self.taken:
            number += 1
            address = f"{plain}{number}@{domain}"
        self.taken.add(address)
        return address

    def _mail_domain(self) -> str:
        return self.chance.choices([d for d, _ in MAIL_DOMAINS], [share for _, share in MAIL_DOMAINS])[0]

    def _ago(self, days: float) -> str:
        return written(self.now - timedelta(days=days))

    def _user(
        self, connection: str, body: Document, *, password: str | None = PASSWORD, seen: bool = False
    ) -> Document:
        body.setdefault("user_id", f"{self.chance.getrandbits(96):024x}")
        user = documents.new_document(self.tenant, body, self.connections[connection])
        if password is not None:
            user["_password"] = _hash(password)
        self._age(user, seen)
        return self.tenant.store.put("users", user["user_id"], user)

    def _age(self, user: Document, seen: bool) -> None:
        """When the user came, and how often and when they were seen since."""
        chance, age = self.chance, self.chance.betavariate(1.2, 1.8) * 1100 + 1
        user["created_at"] = user["updated_at"] = self._ago(age)
        if seen or chance.random() < 0.88:
            since = min(age, chance.expovariate(1 / 45))
            user["last_login"] = user["updated_at"] = self._ago(since)
            user["last_ip"] = f"{chance.choice(PLACES)[3]}.{chance.randrange(1, 255)}"
            user["logins_count"] = 1 + int(chance.expovariate(1 / 14))
            user["_user_agent"] = chance.choice(BROWSERS)
        if not seen and chance.random() < 0.012:
            user["blocked"] = True
        if user["identities"][0]["provider"] == "auth0" and chance.random() < 0.1:
            user["last_password_reset"] = self._ago(chance.uniform(0, age))


def summary(user: dict[str, Any]) -> str:
    """How log events name a user."""
    return str(user.get("email") or user["user_id"])
