"""The tenant's side: its database connections as they are now, and how they differ from what the portal published."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from identity.databases import scripts
from identity.databases.models import DatabasePublication, DatabaseVersion, named
from identity.databases.scripts import Content
from portal import auth0
from portal.models import Tenant

State = DatabasePublication.State
MOST_CONNECTIONS = 1000


@dataclass(frozen=True)
class Live:
    """A connection as the tenant has it. `document`: as GET /connections gives it; without the scope
    read:connections_options it holds no `options`, and nothing can be said about scripts.
    """

    tenant: Tenant
    document: dict[str, Any]
    publication: DatabasePublication | None = None

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def name(self) -> str:
        return str(self.document["name"])

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.document.get("options") or {})

    @property
    def readable(self) -> bool:
        return "options" in self.document

    @cached_property
    def content(self) -> Content:
        return Content.of(self.document)

    @property
    def configuration_keys(self) -> list[str]:
        return sorted(self.options.get("configuration") or {})

    @cached_property
    def version(self) -> DatabaseVersion | None:
        """The newest version that says what is live."""
        found = DatabaseVersion.objects.filter(**named(self.tenant, self.id), sha256=self.content.sha256)
        return found.first() if self.readable else None

    @property
    def status(self) -> str:
        """A status of the pages: unknown, disabled (no custom database), not_published, live or drifted."""
        if not self.readable:
            return "unknown"
        if self.publication:
            return "live" if self.version == self.publication.version else "drifted"
        return "not_published" if self.content.enabled else "disabled"

    @property
    def words(self) -> str:
        """What the status is called here; "" for its usual name."""
        return "Live, written elsewhere" if self.status == "not_published" else ""

    @property
    def drift(self) -> str:
        """What differs from the portal's record, in a sentence; "" where nothing does."""
        if not self.readable or self.publication is None or self.version == self.publication.version:
            return ""
        recorded = self.publication.version
        if self.version:
            return f"Live is {self.version}, not {recorded}, which was published here."
        gone = recorded.content["scripts"].get("change_email") and "change_email" not in self.content.scripts
        why = " The dashboard removes change_email whenever somebody saves the other scripts there." if gone else ""
        return f"Somebody has changed it outside Castellan since {recorded} was published.{why}"

    @property
    def difference(self) -> str:
        """From the published version to what is live, as a unified diff; "" without drift."""
        if not self.drift or self.publication is None:
            return ""
        return scripts.difference(Content.from_json(self.publication.version.content), self.content)


def read(tenant: Tenant, connection_id: str) -> Live:
    """GET /connections/{id}. Raises the gateway's errors, Missing for an unknown id."""
    document = auth0.request(tenant, "GET", f"/connections/{auth0.segment(connection_id)}")
    return Live(tenant, document, current_publication(tenant, connection_id))


def read_all(tenant: Tenant) -> list[Live]:
    """Every connection of strategy auth0, by name; custom databases first."""
    documents = auth0.pages(tenant, "/connections", "connections", strategy="auth0", most=MOST_CONNECTIONS)
    published = DatabasePublication.objects.filter(tenant=tenant, state=State.LIVE).select_related("version", "tenant")
    by_connection = {one.connection_id: one for one in published}
    found = [Live(tenant, document, by_connection.get(document["id"])) for document in documents]
    return sorted(found, key=lambda live: (not live.content.enabled, live.name.lower()))


def current_publication(tenant: Tenant, connection_id: str) -> DatabasePublication | None:
    found = DatabasePublication.objects.filter(**named(tenant, connection_id), state=State.LIVE)
    return found.select_related("version", "tenant", "requested_by", "run").first()
