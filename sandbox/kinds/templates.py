"""Templates from which profiles are made (read-only), and those of verifiable credentials."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.kinds import crud
from sandbox.kinds.kind import BASE58, Id, Kind, Unique
from sandbox.kinds.operations import Call, operation
from sandbox.kinds.profiles import USER_ID
from sandbox.store import Document

USER_ATTRIBUTE_TEMPLATE = {
    "id": "uap_template_default",
    "display_name": "Default",
    "template": {
        "name": "Default",
        "user_id": USER_ID,
        "user_attributes": {
            "email": {
                "label": "Email",
                "description": "Email of the User",
                "auth0_mapping": "email",
                "profile_required": True,
            }
        },
    },
}
CONNECTION_TEMPLATE = {
    "id": "cop_template_default",
    "display_name": "Default",
    "template": {
        "name": "Default",
        "organization": {"show_as_button": "optional", "assign_membership_on_login": "optional"},
        "connection_name_prefix_template": "con-{org_id}",
        "enabled_features": [],
        "strategy_overrides": {},
    },
}


def _answer(path: str, envelope: str, template: Document) -> None:
    @operation("GET", path)
    def list_(call: Call) -> Document:
        return {envelope: [template]}

    @operation("GET", f"{path}/{{id}}")
    def read(call: Call) -> Document:
        if call.params["id"] != template["id"]:
            raise ApiError(404, "Template not found.", "inexistent_template")
        return template


_answer("/user-attribute-profiles/templates", "user_attribute_profile_templates", USER_ATTRIBUTE_TEMPLATE)
_answer("/connection-profiles/templates", "connection_profile_templates", CONNECTION_TEMPLATE)

CREDENTIAL_TEMPLATES = Kind(
    path="/verifiable-credentials/verification/templates",
    store="vdcs_templates",
    envelope="templates",
    id=Id("vct_", 22, BASE58),
    missing=("The verifiable credential template does not exist.", "inexistent_verifiable_credential_template"),
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id"}),
    defaults={"custom_certificate_authority": None},
    keeps_null=frozenset({"custom_certificate_authority"}),
    unique=(Unique(("name",), "Template (name) already exists.", "template_conflict"),),
    delete_twice=True,
    paging="checkpoint",
)

crud.register(CREDENTIAL_TEMPLATES)
