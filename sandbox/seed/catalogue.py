"""What Larkspur Outfitters has: its applications' forms, APIs, roles, organizations, as tables."""

from __future__ import annotations

from sandbox.store import Document

_CODE_GRANTS = ["authorization_code", "refresh_token"]

STAFF_ROLES = {
    "helpdesk": "Helps people to sign in again",
    "security": "Writes MFA policies",
    "release-manager": "Promotes changes between tenants",
    "database-owner": "Owns the custom databases",
    "auditor": "Reads everything, changes nothing",
    "administrator": "Registers tenants and maps roles",
}
# name -> (description, [(API, permission)])
SHOP_ROLES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "store-manager": ("Runs a shop", [("orders", "read:orders"), ("orders", "refund:orders"), ("stock", "read:stock")]),
    "warehouse-operator": ("Packs and counts", [("stock", "read:stock"), ("stock", "write:stock")]),
    "support-agent": ("Answers customers", [("orders", "read:orders"), ("loyalty", "read:points")]),
    "vip-customer": ("Sees sales a day early", [("catalogue", "read:previews")]),
}
# slug -> (name, [(scope, description)])
APIS = {
    "orders": (
        "Orders API",
        [
            ("read:orders", "Read orders"),
            ("write:orders", "Place and change orders"),
            ("refund:orders", "Refund an order"),
        ],
    ),
    "catalogue": (
        "Catalogue API",
        [("read:catalogue", "Read the catalogue"), ("read:previews", "See what comes next")],
    ),
    "stock": ("Stock API", [("read:stock", "Read stock levels"), ("write:stock", "Correct stock levels")]),
    "loyalty": ("Loyalty API", [("read:points", "Read loyalty points"), ("write:points", "Give loyalty points")]),
}
ORGANIZATIONS = (
    ("harbourline", "Harbourline Department Stores", "#1B4D72"),
    ("fernhill-garden-centres", "Fernhill Garden Centres", "#3E6B35"),
    ("northgate-hotels", "Northgate Hotels", "#7A3B2E"),
    ("meadow-schools", "Meadow Schools Trust", "#6B4E8A"),
)


def identifier(slug: str) -> str:
    return f"https://{slug}.larkspur.example"


def web(name: str, callbacks: list[str], logouts: list[str]) -> Document:
    return {
        "name": name,
        "app_type": "regular_web",
        "oidc_conformant": True,
        "callbacks": callbacks,
        "allowed_logout_urls": logouts,
        "grant_types": [*_CODE_GRANTS, "client_credentials"],
    }


def spa(name: str, callbacks: list[str], origins: list[str]) -> Document:
    return {
        "name": name,
        "app_type": "spa",
        "oidc_conformant": True,
        "callbacks": callbacks,
        "allowed_origins": origins,
        "web_origins": origins,
        "allowed_logout_urls": origins,
        "grant_types": _CODE_GRANTS,
        "token_endpoint_auth_method": "none",
        "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring"},
    }


def native(name: str, callbacks: list[str]) -> Document:
    grants = [*_CODE_GRANTS, "urn:ietf:params:oauth:grant-type:device_code"]
    return {
        "name": name,
        "app_type": "native",
        "oidc_conformant": True,
        "callbacks": callbacks,
        "grant_types": grants,
        "token_endpoint_auth_method": "none",
    }


def machine(name: str) -> Document:
    return {
        "name": name,
        "app_type": "non_interactive",
        "oidc_conformant": True,
        "grant_types": ["client_credentials"],
    }


MACHINES = [machine(name) for name in ("Order Sync", "Price Updater", "Loyalty Engine", "Stock Counter")]
GRANTS = (
    ("Order Sync", "orders", ["read:orders", "write:orders"]),
    ("Price Updater", "catalogue", ["read:catalogue"]),
    ("Loyalty Engine", "loyalty", ["read:points", "write:points"]),
    ("Stock Counter", "stock", ["read:stock", "write:stock"]),
)
