"""Addresses: custom domains, and access control lists for networks."""

from __future__ import annotations

import re
import uuid

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, Id, IdFormat, Kind, Unique, pruned
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document


def new_domain(call: Call, sent: Document) -> Document:
    domain, id = sent.get("domain", ""), Id("cd_").new()
    managed = sent.get("type") != "self_managed_certs"
    if managed:
        record = f"{call.tenant.name}-{id.replace('_', '-').lower()}.edge.tenants.us.auth0.com"
        method = {"name": "CNAME", "record": record, "domain": domain}
    else:
        method = {"name": "TXT", "record": str(uuid.uuid4()), "domain": f"_cf-custom-hostname.{domain}"}
    return {
        "custom_domain_id": id,
        "primary": False,
        "is_default": False,
        "status": "pending_verification",
        "verification": {"methods": [method]},
        "tls_policy": "recommended",
        "custom_client_ip_header": None,
        "created_at": call.tenant.timestamp(),
    }


def _pruned_metadata(call: Call, domain: Document) -> Document:
    metadata = domain.get("domain_metadata")
    return {**domain, "domain_metadata": pruned(metadata)} if isinstance(metadata, dict) else domain


CUSTOM_DOMAINS = Kind(
    path="/custom-domains",
    store="custom_domains",
    envelope="custom_domains",
    id=Id("cd_"),
    id_field="custom_domain_id",
    missing=("The custom domain does not exist", "inexistent_custom_domain"),
    defaults=new_domain,
    keeps_null=frozenset({"custom_client_ip_header"}),
    merged=frozenset({"domain_metadata"}),
    read_only=frozenset({"custom_domain_id", "status", "verification", "primary", "is_default"}),
    unique=(
        Unique(("domain",), "A custom domain with the same name already exists", "custom_domain_conflict", fold=True),
    ),
    paging="bare",
    before=_pruned_metadata,
)


@operation("POST", "/custom-domains/{id}/verify")
def verify(call: Call) -> Reply:
    """There is no DNS here: who asks for verification gets it."""
    domain = crud.asked(CUSTOM_DOMAINS, call)
    record = domain["verification"]["methods"][0]["record"]
    id = domain["custom_domain_id"].replace("_", "-").lower()
    managed = domain.get("type") != "self_managed_certs"
    new: Document = {
        **domain,
        "status": "ready",
        "origin_domain_name": record if managed else f"{call.tenant.name}-{id}.edge.tenants.us.auth0.com",
        "verification": {**domain["verification"], "status": "verified", "last_verified_at": call.tenant.timestamp()},
    }
    call.store.put("custom_domains", domain["custom_domain_id"], new)
    return Reply(201, new if managed else {**new, "cname_api_key": uuid.uuid4().hex * 4})


@operation("POST", "/custom-domains/{id}/test")
def test_domain(call: Call) -> Reply:
    domain = crud.asked(CUSTOM_DOMAINS, call)
    ready = domain["status"] == "ready"
    return Reply(200, {"success": ready} if ready else {"success": False, "message": "The domain is not verified."})


@operation("GET", "/custom-domains/default")
def read_default(call: Call) -> Document:
    for domain in call.store.all("custom_domains"):
        if domain["is_default"]:
            return domain
    return {"domain": call.tenant.domain, "is_default": True}


@operation("PATCH", "/custom-domains/default")
def change_default(call: Call) -> Document:
    wanted = (call.body or {})["domain"]
    domain = call.store.first("custom_domains", domain=wanted)
    if wanted != call.tenant.domain and (domain is None or domain["status"] != "ready"):
        raise ApiError(400, "The domain must be verified before it can be set as default.", "invalid_body")
    for other in call.store.all("custom_domains"):
        if other["is_default"] != (other["domain"] == wanted):
            chosen = other["domain"] == wanted
            new = {**other, "is_default": chosen, "primary": chosen}
            call.store.put("custom_domains", other["custom_domain_id"], new)
    return read_default(call)


# --- access control lists --------------------------------------------------------------------------------------------


def _shown_acl(call: Call, acl: Document) -> Document:
    if call.method != "GET":
        return acl
    return {**acl, "tenant_id": call.tenant.name, "deleted_at": None}


NETWORK_ACLS = Kind(
    path="/network-acls",
    store="network_acls",
    envelope="network_acls",
    id=Id("acl_", 22, BASE58),
    id_format=IdFormat(
        re.compile(r"acl_[1-9A-HJ-NP-Za-km-z]{21,22}"),
        "Network ACL id is not a valid ACL ID in the form 'acl_XXXXXXXXXXXXXXXXXXXXXX'",
    ),
    missing=("The network ACL does not exist", "inexistent_network_acl"),
    defaults={"priority": 10},
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    shown=_shown_acl,
    order=lambda acl: acl.get("priority", 10),
)


@operation("DELETE", "/network-acls/{id}")
def delete_acl(call: Call) -> Reply:
    crud.remove(NETWORK_ACLS, call, crud.asked(NETWORK_ACLS, call))
    return Reply(200, {"code": 204, "object": ""})


crud.register(CUSTOM_DOMAINS, NETWORK_ACLS)
