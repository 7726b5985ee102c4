"""Agents: programs that act for people, each perhaps with an application of its own."""

from __future__ import annotations

from sandbox.kinds import crud
from sandbox.kinds.applications import CLIENTS
from sandbox.kinds.kind import BASE58, Id, Kind, Unique
from sandbox.kinds.operations import Call
from sandbox.store import Document


def _check_client(call: Call, agent: Document, before: Document | None) -> None:
    if agent.get("client_id"):
        crud.find(CLIENTS, call, agent["client_id"])


AGENTS = Kind(
    path="/agents",
    store="agents",
    envelope="agents",
    id=Id("agt_", 22, BASE58),
    id_field="agent_id",
    missing=("The agent does not exist.", "inexistent_agent"),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"agent_id"}),
    unique=(Unique(("external_agent_id",), "An agent with this external_agent_id already exists.", "agent_conflict"),),
    paging="checkpoint",
    check=_check_client,
    before=lambda call, agent: {"metadata": {}, **agent},
    shown=lambda call, agent: {key: value for key, value in agent.items() if key != "client_id"},
)

crud.register(AGENTS)
