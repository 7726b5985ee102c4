"""Users of a tenant: records, search, sub-resources, jobs, tickets, logs, sessions and grants."""

from __future__ import annotations

from sandbox.tenant import Tenant

# The modules that register endpoints of the Management API.
ENDPOINTS = (
    "access",
    "accounts",
    "assignments",
    "events",
    "factors",
    "identities",
    "jobs",
    "protection",
    "tickets",
)


def prepare(tenant: Tenant) -> None:
    """Index what is looked up by other keys than the id. Called once per tenant, before its documents are loaded."""
    from sandbox.users import job_runs, memberships, records

    records.prepare(tenant)
    memberships.prepare(tenant)
    job_runs.prepare(tenant)
