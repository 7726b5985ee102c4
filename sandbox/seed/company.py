"""The configuration of Larkspur Outfitters' tenants. dev is ahead of staging, and staging ahead of prod."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.kinds import factory
from sandbox.seed import catalogue
from sandbox.seed.people import CUSTOMERS, GOOGLE, LEGACY, STAFF_CONNECTION
from sandbox.seed.tenancy import Management
from sandbox.store import Document

PORTAL_CLIENT_ID = "castellanPortalLocalDemoOnly0001"
PORTAL_CLIENT_SECRET = "local-demo-only-castellan-portal-secret-0001"
_PORTAL = ("http://localhost:8000", "http://127.0.0.1:8000")
_ACTIONS = Path(__file__).with_name("actions")


class Company:
    """Fills one tenant; `stage` is dev, staging or prod."""

    def __init__(self, api: Management, stage: str) -> None:
        self.api = api
        self.stage = stage
        self.host = {"dev": "dev.", "staging": "staging."}.get(stage, "") + "larkspur.example"
        self.clients: dict[str, str] = {}
        self.connections: dict[str, Document] = {}
        self.roles: dict[str, str] = {}
        self.organizations: dict[str, str] = {}

    def fill(self, legacy_scripts: dict[str, str]) -> None:
        self._settings()
        self._apis()
        self._applications()
        self._connections(legacy_scripts)
        self._roles()
        self._organizations()
        self._actions()
        self._messages()

    def ahead_of(self, *stages: str) -> bool:
        """Whether this tenant has what those stages don't have yet."""
        return self.stage not in stages

    def _settings(self) -> None:
        self.api.patch(
            "/tenants/settings",
            {
                "friendly_name": "Larkspur Outfitters",
                "support_email": "care@larkspur.example",
                "support_url": "https://www.larkspur.example/help",
                "session_lifetime": 72 if self.ahead_of("prod") else 168,
                "idle_session_lifetime": 24 if self.ahead_of("staging", "prod") else 72,
                "customize_mfa_in_postlogin_action": True,
            },
        )
        colours = ("#5B3E96", "#F6F2FB") if self.ahead_of("staging", "prod") else ("#4A3480", "#FFFFFF")
        self.api.patch("/branding", {"colors": {"primary": colours[0], "page_background": colours[1]}})
        for factor in ("otp", "sms", "email", "webauthn-roaming", "recovery-code"):
            self.api.put(f"/guardian/factors/{factor}", {"enabled": True})
        attempts = 10 if self.ahead_of("prod") else 20
        self.api.patch("/attack-protection/brute-force-protection", {"max_attempts": attempts})

    def _apis(self) -> None:
        for slug, (name, scopes) in catalogue.APIS.items():
            wanted = list(scopes)
            if slug == "orders" and self.ahead_of("staging", "prod"):
                wanted.append(("export:orders", "Export orders for the accounts"))
            body = {
                "name": name,
                "identifier": catalogue.identifier(slug),
                "scopes": [{"value": value, "description": text} for value, text in wanted],
                "token_lifetime": 3600 if self.ahead_of("prod") else 86_400,
                "enforce_policies": True,
                "token_dialect": "access_token_authz",
                "allow_offline_access": slug != "stock",
            }
            self.api.post("/resource-servers", body)

    def _applications(self) -> None:
        for body in [*self._shop_applications(), *catalogue.MACHINES]:
            self.clients[body["name"]] = self.api.post("/clients", dict(body))["client_id"]
        portal = {
            **catalogue.web(
                "Castellan", [f"{url}/complete/auth0-oidc/" for url in _PORTAL], [f"{url}/" for url in _PORTAL]
            ),
            "client_id": PORTAL_CLIENT_ID,
            "client_secret": PORTAL_CLIENT_SECRET,
            "token_endpoint_auth_method": "client_secret_post",
            "jwt_configuration": {"alg": "RS256"},
        }
        self.clients["Castellan"] = factory.insert(self.api.tenant, "/clients", portal)["client_id"]
        for name, slug, scopes in catalogue.GRANTS:
            grant = {"client_id": self.clients[name], "audience": catalogue.identifier(slug), "scope": scopes}
            self.api.post("/client-grants", grant)

    def _shop_applications(self) -> list[Document]:
        shop = f"https://shop.{self.host}"
        callbacks = [f"{shop}/callback"]
        if self.ahead_of("staging", "prod"):
            callbacks += [f"{shop}/checkout/callback", "http://localhost:5173/callback"]
        found = [
            catalogue.spa("Larkspur Storefront", callbacks, [shop]),
            catalogue.native("Larkspur Mobile", [f"com.larkspur.outfitters://{self.host}/ios/callback"]),
            catalogue.web(
                "Larkspur Back Office", [f"https://office.{self.host}/callback"], [f"https://office.{self.host}/"]
            ),
            catalogue.web("Partner Portal", [f"https://partners.{self.host}/auth"], [f"https://partners.{self.host}/"]),
            catalogue.web("Returns Desk", [f"https://returns.{self.host}/callback"], [f"https://returns.{self.host}/"]),
            catalogue.spa(
                "Newsletter Preferences", [f"https://news.{self.host}/callback"], [f"https://news.{self.host}"]
            ),
            catalogue.native("Warehouse Scanner", ["com.larkspur.scanner://callback"]),
        ]
        found[3]["organization_usage"], found[3]["organization_require_behavior"] = "require", "pre_login_prompt"
        if self.ahead_of("staging", "prod"):
            gifts = f"https://gifts.{self.host}"
            found.append(catalogue.spa("Gift Cards", [f"{gifts}/callback"], [gifts]))
        return found

    def _connections(self, legacy_scripts: dict[str, str]) -> None:
        staff = next(c for c in self.api.tenant.store.all("connections") if c["name"] == STAFF_CONNECTION)
        inside = ("Castellan", "Larkspur Back Office", "Returns Desk", "Warehouse Scanner", "Partner Portal")
        machine = self.api.tenant.client_id
        enabled = [*(self.clients[name] for name in inside), *staff.get("enabled_clients", ()), machine]
        self.api.patch(f"/connections/{staff['id']}", {"enabled_clients": [*dict.fromkeys(enabled)]})
        self.connections[STAFF_CONNECTION] = self.api.tenant.store.get("connections", staff["id"]) or staff
        shop = [self.clients[n] for n in ("Larkspur Storefront", "Larkspur Mobile", "Newsletter Preferences")]
        shop += [self.clients["Gift Cards"]] if "Gift Cards" in self.clients else []
        policy = {"passwordPolicy": "good", "brute_force_protection": True, "password_history": {"enable": False}}
        if self.ahead_of("prod"):
            policy["password_no_personal_info"] = {"enable": True}
        legacy = {
            "enabledDatabaseCustomization": True,
            "import_mode": False,
            "customScripts": legacy_scripts,
            "brute_force_protection": True,
            "configuration": {"STORE_NAME": "larkspur-legacy"},
        }
        google = {"client_id": f"larkspur-{self.stage}.apps.example", "scope": ["email", "profile"], "email": True}
        for name, strategy, options in (
            (CUSTOMERS, "auth0", policy),
            (LEGACY, "auth0", legacy),
            (GOOGLE, "google-oauth2", google),
        ):
            body = {"name": name, "strategy": strategy, "options": options, "enabled_clients": shop}
            made = self.api.post("/connections", body)
            self.connections[name] = self.api.tenant.store.get("connections", made["id"]) or made

    def _roles(self) -> None:
        for name, text in catalogue.STAFF_ROLES.items():
            role = self.api.post("/roles", {"name": f"castellan-{name}", "description": text})
            self.roles[f"castellan-{name}"] = role["id"]
        for name, (text, permissions) in catalogue.SHOP_ROLES.items():
            role = self.api.post("/roles", {"name": name, "description": text})
            self.roles[name] = role["id"]
            rows = [
                {"resource_server_identifier": catalogue.identifier(a), "permission_name": p} for a, p in permissions
            ]
            self.api.post(f"/roles/{role['id']}/permissions", {"permissions": rows})

    def _organizations(self) -> None:
        wanted = catalogue.ORGANIZATIONS if self.ahead_of("staging", "prod") else catalogue.ORGANIZATIONS[:3]
        for name, display_name, colour in wanted:
            body: dict[str, Any] = {
                "name": name,
                "display_name": display_name,
                "branding": {"colors": {"primary": colour, "page_background": "#FFFFFF"}},
                "metadata": {"require_mfa": "true" if name == "harbourline" else "false"},
                "enabled_connections": [{"connection_id": self.connections[STAFF_CONNECTION]["id"]}],
            }
            self.organizations[name] = self.api.post("/organizations", body)["id"]

    def _actions(self) -> None:
        tier = "loyalty_tier_with_market" if self.ahead_of("staging", "prod") else "loyalty_tier"
        wanted = [
            ("Castellan staff roles", "castellan_staff_roles"),
            ("Refuse closed accounts", "refuse_closed_accounts"),
            ("Loyalty tier", tier),
        ]
        if not self.ahead_of("prod"):
            wanted.pop(1)
        for name, file in wanted:
            body = {
                "name": name,
                "code": (_ACTIONS / f"{file}.js").read_text(),
                "supported_triggers": [{"id": "post-login", "version": "v3"}],
                "runtime": "node22",
                "deploy": True,
            }
            self.api.post("/actions/actions", body)
        bindings = [{"ref": {"type": "action_name", "value": name}, "display_name": name} for name, _ in wanted]
        self.api.patch("/actions/triggers/post-login/bindings", {"bindings": bindings})

    def _messages(self) -> None:
        mail = {
            "name": "smtp",
            "enabled": True,
            "default_from_address": "care@larkspur.example",
            "credentials": {"smtp_host": "mail.larkspur.example", "smtp_port": 587, "smtp_user": "larkspur"},
        }
        self.api.post("/emails/provider", mail)
        greeting = "Hello {{ user.given_name }}," if self.ahead_of("staging", "prod") else "Hello,"
        body = (
            f"<p>{greeting}</p><p>somebody asked to change the password of your Larkspur account.</p>"
            '<p><a href="{{ url }}">Choose a new password</a></p><p>Larkspur Outfitters</p>'
        )
        self.api.post(
            "/email-templates",
            {
                "template": "reset_email",
                "subject": "Choose a new Larkspur password",
                "body": body,
                "from": "care@larkspur.example",
                "syntax": "liquid",
                "enabled": True,
                "urlLifetimeInSeconds": 3600 if self.ahead_of("staging", "prod") else 432_000,
            },
        )
