"""All modules that register endpoints, imported once, before the first request."""

from __future__ import annotations

import importlib
from functools import lru_cache

from sandbox import users

TABLES = (
    "action_versions",
    "actions",
    "agents",
    "apis",
    "applications",
    "bindings",
    "branding",
    "connections",
    "credentials",
    "deliveries",
    "experimentation",
    "experiments",
    "extensions",
    "groups",
    "keys",
    "legacy",
    "members",
    "messaging",
    "metadata_documents",
    "modules",
    "network",
    "organization_links",
    "organizations",
    "profiles",
    "prompts",
    "protection",
    "provisioning",
    "roles",
    "searches",
    "streams",
    "subscriptions",
    "templates",
    "tenant_settings",
    "triggers",
)


@lru_cache(maxsize=1)
def load() -> None:
    for name in TABLES:
        importlib.import_module(f"sandbox.kinds.{name}")
    for name in users.ENDPOINTS:
        importlib.import_module(f"sandbox.users.{name}")
