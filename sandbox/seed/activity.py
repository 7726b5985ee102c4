"""What has happened in a tenant: a month of log events, enrolled factors, sessions, tokens, locked accounts."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import logs
from sandbox.seed.names import BROWSERS, PLACES
from sandbox.seed.people import summary
from sandbox.store import Document
from sandbox.tenant import Tenant, written

DAYS = 30
# (event type, how many of a thousand)
_EVENTS = (
    ("s", 560),
    ("ssa", 120),
    ("seacft", 90),
    ("sertft", 60),
    ("fp", 62),
    ("fu", 22),
    ("slo", 40),
    ("scpr", 12),
    ("scp", 9),
    ("ss", 9),
    ("sv", 6),
    ("gd_auth_succeed", 5),
    ("gd_auth_failed", 2),
    ("gd_enrollment_complete", 2),
    ("limit_wc", 1),
)
_HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 9, 9, 8, 8, 9, 10, 12, 12, 10, 7, 4, 2)
# 32 characters of Base32: what the authenticator apps of the demo's people hold.
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Activity:
    def __init__(self, tenant: Tenant, applications: dict[str, str], chance: random.Random) -> None:
        self.tenant = tenant
        self.chance = chance
        self.now = datetime.fromtimestamp(tenant.now(), UTC)
        names = ("Larkspur Storefront", "Larkspur Mobile", "Newsletter Preferences", "Larkspur Back Office")
        self.applications = [(applications[name], name) for name in names]

    def fill(self, count: int) -> None:
        people = [user for user in self.tenant.store.all("users") if user.get("last_login")]
        self._events(people, count)
        self._factors([user for user in people if user["identities"][0]["provider"] == "auth0"])
        self._sessions(people)
        self._locked(people)

    def _events(self, people: list[Document], count: int) -> None:
        kinds, shares = zip(*_EVENTS, strict=True)
        moments = sorted(self._moment() for _ in range(count))
        chosen = self.chance.choices(kinds, shares, k=count)
        for number, (moment, kind) in enumerate(zip(moments, chosen, strict=True)):
            user = self.chance.choice(people)
            self._event(kind, self._stamp(moment), user, number)

    def _moment(self) -> datetime:
        """Within the last month, mostly by day, less at weekends."""
        while True:
            hour = self.chance.choices(range(24), _HOURS)[0]
            day = self.now - timedelta(days=self.chance.randrange(DAYS))
            second, millisecond = divmod(self.chance.randrange(3_600_000), 1000)
            moment = day.replace(hour=hour, minute=second // 60, second=second % 60, microsecond=millisecond * 1000)
            quiet = moment.weekday() >= 5 and self.chance.random() < 0.45
            if moment < self.now and not quiet:
                return moment

    def _event(self, kind: str, date: str, user: Document, number: int) -> None:
        client_id, client_name = self.chance.choice(self.applications)
        identity = user["identities"][0]
        fields: dict[str, Any] = {
            "connection": identity["connection"],
            "client_id": client_id,
            "client_name": client_name,
            "ip": user.get("last_ip", "192.0.2.1"),
            "user_agent": user.get("_user_agent", BROWSERS[0]),
            "hostname": self.tenant.domain,
            "user_id": user["user_id"],
            "user_name": summary(user),
            "strategy": identity["provider"],
            "strategy_type": "social" if identity["isSocial"] else "database",
        }
        if kind == "fu":
            fields |= {"user_id": "", "user_name": f"{summary(user).partition('@')[0]}@postbocks.example"}
        if kind in ("fp", "fu"):
            fields["description"] = "Wrong email or password."
        self._write(kind, date, number, fields)

    def _write(self, kind: str, date: str, number: int, fields: dict[str, Any]) -> None:
        id = logs.log_id(date, number)
        event = {"date": date, "type": kind, **logs.described(kind, fields), "tenant_name": self.tenant.name}
        self.tenant.store.put("logs", id, {**event, "log_id": id})

    def _stamp(self, moment: datetime) -> str:
        return written(moment)

    def _id(self, length: int = 16) -> str:
        return f"{self.chance.getrandbits(length * 4):0{length}x}"

    def _factors(self, people: list[Document]) -> None:
        """One in nine has a second factor; most of them an authenticator app and a recovery code."""
        for user in people:
            draw = self.chance.random()
            if draw > 0.11 or user["identities"][0]["connection"] == "legacy-store":
                continue
            if (
                user["email"].endswith("@larkspur.example")
                and user.get("app_metadata", {}).get("department") == "Operations"
            ):
                continue
            if draw < 0.075:
                self._method(user, "totp", {"_secret": "".join(self.chance.choices(_BASE32, k=32))}, "Phone app")
                code = "".join(self.chance.choices(_BASE32, k=24))
                self._method(user, "recovery-code", {"_secret": code}, None)
            elif draw < 0.095:
                number = user.get("phone_number") or f"+447700900{self.chance.randrange(1000):03d}"
                fields = {"phone_number": number, "preferred_authentication_method": "sms"}
                self._method(user, "phone", fields, None)
            else:
                fields = {"key_id": self._id(32), "relying_party_identifier": "localhost"}
                self._method(user, "webauthn-roaming", fields, "Security key")

    def _method(self, user: Document, kind: str, fields: dict[str, Any], name: str | None) -> None:
        id = f"{kind}|dev_{self._id()}"
        at = self._stamp(self.now - timedelta(days=self.chance.uniform(5, 400)))
        method = {"id": id, "user_id": user["user_id"], "type": kind, "confirmed": True, "created_at": at}
        method |= {"enrolled_at": at, "last_auth_at": user["last_login"], **fields}
        if name:
            method["name"] = name
        self.tenant.store.put("authentication_methods", id, method)

    def _sessions(self, people: list[Document]) -> None:
        """Who was here in the last days still has a session, on the phone a refresh token, too."""
        since = self._stamp(self.now - timedelta(days=2))
        for user in people:
            if user["last_login"] >= since:
                session = self._session(user)
                if self.chance.random() < 0.4:
                    self._refresh_token(user, session)

    def _session(self, user: Document) -> Document:
        id, agent = f"sess_{self._id(24)}", user.get("_user_agent", BROWSERS[0])
        client_id, _ = self.chance.choice(self.applications)
        began = datetime.fromisoformat(user["last_login"])
        session = {
            "id": id,
            "user_id": user["user_id"],
            "created_at": user["last_login"],
            "updated_at": user["last_login"],
            "authenticated_at": user["last_login"],
            "last_interacted_at": user["last_login"],
            "idle_expires_at": self._stamp(began + timedelta(days=3)),
            "expires_at": self._stamp(began + timedelta(days=7)),
            "device": _device(user, agent),
            "clients": [{"client_id": client_id}],
            "authentication": {"methods": [{"name": "pwd", "timestamp": user["last_login"]}]},
            "cookie": {"mode": "persistent"},
            "session_metadata": None,
        }
        return self.tenant.store.put("sessions", id, session)

    def _refresh_token(self, user: Document, session: Document) -> None:
        id, client_id = f"rt_{self._id(20)}", session["clients"][0]["client_id"]
        token = {
            "id": id,
            "user_id": user["user_id"],
            "created_at": session["created_at"],
            "idle_expires_at": self._stamp(self.now + timedelta(days=15)),
            "expires_at": self._stamp(self.now + timedelta(days=30)),
            "device": session["device"],
            "client_id": client_id,
            "session_id": session["id"],
            "rotating": True,
            "resource_servers": [
                {"audience": "https://orders.larkspur.example", "scopes": "read:orders offline_access"}
            ],
            "refresh_token_metadata": None,
            "last_exchanged_at": session["last_interacted_at"],
        }
        self.tenant.store.put("refresh_tokens", id, token)
        grant = f"grant_{self._id(16)}"
        fields = {"clientID": client_id, "user_id": user["user_id"], "audience": "https://orders.larkspur.example"}
        self.tenant.store.put("grants", grant, {"id": grant, **fields, "scope": ["read:orders", "offline_access"]})

    def _locked(self, people: list[Document]) -> None:
        """A dozen accounts that somebody guessed at too often."""
        for user in self.chance.sample([u for u in people if u["identities"][0]["provider"] == "auth0"], k=12):
            ip, id = f"{self.chance.choice(PLACES)[3]}.{self.chance.randrange(1, 255)}", f"blk_{self._id()}"
            moment = self.now - timedelta(hours=self.chance.uniform(0.2, 60))
            block = {
                "id": id,
                "user_id": user["user_id"],
                "identifier": user["email"],
                "ip": ip,
                "connection": user["identities"][0]["connection"],
                "created_at": self._stamp(moment),
            }
            self.tenant.store.put("user_blocks", id, block)


def _device(user: Document, agent: str) -> Document:
    ip = user.get("last_ip", "192.0.2.1")
    return {
        "initial_user_agent": agent,
        "initial_ip": ip,
        "initial_asn": "64496",
        "last_user_agent": agent,
        "last_ip": ip,
        "last_asn": "64496",
    }
