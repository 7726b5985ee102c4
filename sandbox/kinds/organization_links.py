"""What else is linked to an organization: applications, and the domains by which it is discovered."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds import crud, organizations
from sandbox.kinds.kind import BASE58
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.tenant import new_id

# --- applications ----------------------------------------------------------------------------------------------------


def _application(call: Call, document: Document) -> Document:
    client = call.store.get("clients", document["client_id"]) or {}
    fields = ("name", "description", "app_type", "logo_uri", "is_first_party", "grant_types", "organization_usage")
    return {**document, "client": {field: client[field] for field in fields if field in client}}


def _linked_client(call: Call) -> Document:
    found = call.store.get("organization_clients", f"{organizations.asked(call)['id']} {call.params['client_id']}")
    if found is None:
        raise ApiError(404, "The client is not associated with the organization.", "inexistent_organization_client")
    return found


@operation("GET", "/organizations/{id}/clients")
def list_clients(call: Call) -> Any:
    links = call.store.find("organization_clients", _organization_id=organizations.asked(call)["id"])
    return crud.listed(call, [_application(call, d) for d in links], "clients", "checkpoint")


@operation("POST", "/organizations/{id}/clients")
def add_clients(call: Call) -> Reply:
    organization, sent = organizations.asked(call), (call.body or {})["clients"]
    for entry in sent:
        if not call.store.get("clients", entry["client_id"]):
            raise ApiError(404, "The client does not exist", "inexistent_client")
    added = []
    for entry in sent:
        key = f"{organization['id']} {entry['client_id']}"
        document = {"use_for_member_access": False, **entry, "_key": key, "_organization_id": organization["id"]}
        added.append(_application(call, call.store.put("organization_clients", key, document)))
    return Reply(201, added)


@operation("DELETE", "/organizations/{id}/clients")
def remove_clients(call: Call) -> Reply:
    organization = organizations.asked(call)
    for entry in (call.body or {})["clients"]:
        client_id = entry["client_id"] if isinstance(entry, dict) else entry
        call.store.remove("organization_clients", f"{organization['id']} {client_id}")
    return Reply(204)


@operation("GET", "/organizations/{id}/clients/{client_id}")
def read_client(call: Call) -> Document:
    return _application(call, _linked_client(call))


@operation("PATCH", "/organizations/{id}/clients/{client_id}")
def change_client(call: Call) -> Document:
    old = _linked_client(call)
    return _application(call, call.store.put("organization_clients", old["_key"], {**old, **(call.body or {})}))


# --- discovery domains -----------------------------------------------------------------------------------------------


def _domain(call: Call, **equal: Any) -> Document:
    found = call.store.first("discovery_domains", _organization_id=organizations.asked(call)["id"], **equal)
    if found is None:
        raise ApiError(404, "The discovery domain does not exist.", "inexistent_discovery_domain")
    return found


@operation("GET", "/organizations/{id}/discovery-domains")
def list_domains(call: Call) -> Any:
    found = call.store.find("discovery_domains", _organization_id=organizations.asked(call)["id"])
    return crud.listed(call, found, "domains", "checkpoint")


@operation("POST", "/organizations/{id}/discovery-domains")
def add_domain(call: Call) -> Reply:
    organization, sent = organizations.asked(call), call.body or {}
    if call.store.first("discovery_domains", domain=sent["domain"], _organization_id=organization["id"]):
        raise ApiError(409, "The domain is already used by this organization.", "discovery_domain_conflict")
    id = new_id("ord_", 22, BASE58)
    document = {
        "id": id,
        "domain": sent["domain"],
        "status": sent.get("status", "pending"),
        "verification_host": f"_ss-verification.{organization['id']}.{sent['domain']}",
        "verification_txt": secrets.token_hex(16),
        "use_for_organization_discovery": sent.get("use_for_organization_discovery", True),
        "_key": id,
        "_organization_id": organization["id"],
    }
    return Reply(201, call.store.put("discovery_domains", id, document))


@operation("GET", "/organizations/{id}/discovery-domains/name/{discovery_domain}")
def read_domain_by_name(call: Call) -> Document:
    return _domain(call, domain=call.params["discovery_domain"])


@operation("GET", "/organizations/{id}/discovery-domains/{discovery_domain_id}")
def read_domain(call: Call) -> Document:
    return _domain(call, id=call.params["discovery_domain_id"])


@operation("PATCH", "/organizations/{id}/discovery-domains/{discovery_domain_id}")
def change_domain(call: Call) -> Document:
    old = _domain(call, id=call.params["discovery_domain_id"])
    return call.store.put("discovery_domains", old["id"], {**old, **(call.body or {})})


@operation("DELETE", "/organizations/{id}/discovery-domains/{discovery_domain_id}")
def remove_domain(call: Call) -> Reply:
    call.store.remove("discovery_domains", _domain(call, id=call.params["discovery_domain_id"])["id"])
    return Reply(204)
