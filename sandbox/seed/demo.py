"""Larkspur Outfitters, a shop for garden and outdoor clothes: three tenants that look like a real company's."""

from __future__ import annotations

import random

from sandbox.seed.activity import Activity
from sandbox.seed.company import Company
from sandbox.seed.legacy_store import table
from sandbox.seed.people import PARTNER_DOMAIN, PASSWORD, STAFF, People
from sandbox.seed.tenancy import Management
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import memberships

STAGES = ("dev", "staging", "prod")
_LEGACY_CUSTOMERS = 40
# stage -> (employees, customers, customers who sign in with Google, log events)
_SIZES = {"dev": (330, 4210, 410, 6000), "staging": (60, 180, 20, 900), "prod": (360, 4330, 420, 9000)}


def fill(tenant: Tenant) -> None:
    """Fill a tenant that the factory seed has filled. A tenant of another name than STAGES is a dev one."""
    stage = tenant.name if tenant.name in STAGES else "dev"
    chance = random.Random(f"Larkspur Outfitters {stage}")
    people = People(tenant, {}, chance)
    rows = table.rows(people.legacy_people(_LEGACY_CUSTOMERS), PASSWORD)
    company = Company(Management(tenant), stage)
    company.fill(table.scripts(rows))
    people.connections = company.connections
    employees, customers, from_google, events = _SIZES[stage]
    staff = people.staff()
    hired = list(people.employees(employees))
    shoppers = list(people.customers(customers))
    list(people.google_customers(from_google))
    list(people.legacy_customers(rows[:25]))
    _assign(tenant, company, staff, hired, shoppers, chance)
    Activity(tenant, company.clients, chance).fill(events)


def _assign(
    tenant: Tenant,
    company: Company,
    staff: list[Document],
    hired: list[Document],
    shoppers: list[Document],
    chance: random.Random,
) -> None:
    for user, (_, roles) in zip(staff, STAFF.values(), strict=True):
        memberships.assign_roles(tenant, user["user_id"], [company.roles[f"castellan-{role}"] for role in roles])
    by_department = {"Stores": "store-manager", "Warehouse": "warehouse-operator", "Customer care": "support-agent"}
    partners = list(company.organizations)
    for user in hired:
        role = by_department.get(user["app_metadata"]["department"])
        if role is not None:
            memberships.assign_roles(tenant, user["user_id"], [company.roles[role]])
        outside = user["email"].endswith(f"@{PARTNER_DOMAIN}")
        name = "harbourline" if outside else chance.choice([*partners[1:], ""])
        if name:
            memberships.add_member(tenant, company.organizations[name], user["user_id"])
            if chance.random() < 0.1:
                store_manager = company.roles["store-manager"]
                memberships.add_member_role(tenant, company.organizations[name], user["user_id"], store_manager)
    for user in chance.sample(shoppers, k=min(60, len(shoppers))):
        memberships.assign_roles(tenant, user["user_id"], [company.roles["vip-customer"]])
