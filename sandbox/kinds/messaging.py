"""E-mail and phone: providers with their write-only credentials, templates of messages."""

from __future__ import annotations

from sandbox import mailbox
from sandbox.errors import ApiError
from sandbox.kinds import crud, settings
from sandbox.kinds.kind import BASE58, Id, Kind, merged
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.kinds.settings import Setting
from sandbox.store import Document

EMAIL_TEMPLATES = frozenset(
    [
        "verify_email",
        "verify_email_by_code",
        "auth_email_by_code",
        "reset_email",
        "reset_email_by_code",
        "welcome_email",
        "blocked_account",
        "stolen_credentials",
        "enrollment_email",
        "mfa_oob_code",
        "user_invitation",
        "change_password",
        "password_reset",
        "async_approval",
    ]
)
CREDENTIAL_SECRETS = frozenset(
    [
        "api_key",
        "accessKeyId",
        "secretAccessKey",
        "smtp_pass",
        "connectionString",
        "connection_string",
        "tenantId",
        "clientId",
        "clientSecret",
        "ms365TenantId",
        "ms365ClientId",
        "ms365ClientSecret",
        "azure_cs_connection_string",
    ]
)
_LIQUID: Document = {"body": "", "from": "", "subject": "", "syntax": "liquid"}
FACTORY_TEMPLATES: tuple[Document, ...] = (
    {"template": "verify_email", **_LIQUID, "urlLifetimeInSeconds": 432000, "enabled": True},
    {
        "template": "welcome_email",
        **_LIQUID,
        "resultUrl": "",
        "urlLifetimeInSeconds": 432000,
        "includeEmailInRedirect": False,
        "enabled": False,
    },
)
"""What a new tenant has; an empty body means Auth0's own text."""
NO_PROVIDER = ("There is not a configured email provider", "inexistent_email_provider")


def _change_provider(call: Call, old: Document, sent: Document) -> Document:
    """Another provider starts afresh; the same one keeps what is not sent. Settings are replaced whole."""
    kept = old if sent.get("name", old.get("name")) == old.get("name") else {}
    new: Document = {"enabled": True, "default_from_address": "", "credentials": {}, **kept, **sent}
    return {key: value for key, value in new.items() if value is not None and value != {} or key == "credentials"}


def _shown_provider(call: Call, document: Document) -> Document:
    credentials = {k: v for k, v in (document.get("credentials") or {}).items() if k not in CREDENTIAL_SECRETS}
    return {**document, "credentials": credentials}


settings.register(
    Setting("/emails/provider", None, missing=NO_PROVIDER, change=_change_provider, shown=_shown_provider)
)


# --- e-mail templates ------------------------------------------------------------------------------------------------


def _name(call: Call) -> str:
    name = call.params["template_name"]
    if name not in EMAIL_TEMPLATES:
        text = f"Path validation error: 'No enum match for: {name}' on property templateName."
        raise ApiError(400, text, "invalid_uri")
    return name


def _template(call: Call) -> Document:
    found = call.store.get("email_templates", _name(call))
    if found is None:
        raise ApiError(404, "The template does not exist.", "inexistent_email_template")
    return found


@operation("POST", "/email-templates")
def create_template(call: Call) -> Reply:
    sent = call.body or {}
    if call.store.get("email_templates", sent["template"]):
        raise ApiError(409, "The template already exists.", "email_template_conflict")
    return Reply(200, call.store.put("email_templates", sent["template"], _whole(sent)))


def _whole(sent: Document) -> Document:
    defaults = {"from": "", "resultUrl": "", "subject": "", "syntax": "liquid", "enabled": True}
    return {**defaults, **{key: value for key, value in sent.items() if value is not None}}


@operation("GET", "/email-templates/{template_name}")
def read_template(call: Call) -> Document:
    return _template(call)


@operation("PATCH", "/email-templates/{template_name}")
def change_template(call: Call) -> Document:
    old = _template(call)
    return call.store.put("email_templates", old["template"], {**old, **(call.body or {}), "template": old["template"]})


@operation("PUT", "/email-templates/{template_name}")
def replace_template(call: Call) -> Document:
    name = _name(call)
    return call.store.put("email_templates", name, _whole({**(call.body or {}), "template": name}))


# --- phones ----------------------------------------------------------------------------------------------------------


def _keep_credentials(call: Call, provider: Document) -> Document:
    """Credentials are written and never read."""
    credentials = provider.get("credentials")
    return {
        **{k: v for k, v in provider.items() if k != "credentials"},
        "_credentials": credentials or provider.get("_credentials"),
    }


PHONE_PROVIDERS = Kind(
    path="/branding/phone/providers",
    store="phone_providers",
    envelope="providers",
    id=Id("pro_", 22, BASE58),
    missing=("Phone provider not found", "inexistent_phone_provider"),
    defaults=lambda call, sent: {
        "tenant": call.tenant.name,
        "channel": "phone",
        "disabled": False,
        "configuration": {},
    },
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id", "tenant", "channel"}),
    most=1,
    paging="envelope",
    filters=("disabled",),
    before=_keep_credentials,
    listed=lambda call, provider: {**provider, "credentials": None},
)


def _whole_content(call: Call, template: Document) -> Document:
    return {**template, "content": merged({"syntax": "liquid", "body": {}}, template.get("content") or {})}


def _check_phone_template(call: Call, template: Document, before: Document | None) -> None:
    if before is None and call.store.first("phone_templates", type=template.get("type")):
        raise ApiError(409, "A template of this type already exists.", "phone_template_conflict")


PHONE_TEMPLATES = Kind(
    path="/branding/phone/templates",
    store="phone_templates",
    envelope="templates",
    id=Id("tem_", 22, BASE58),
    missing=("Phone template not found", "inexistent_phone_template"),
    defaults=lambda call, sent: {"tenant": call.tenant.name, "channel": "phone", "disabled": False},
    created_at="created_at",
    updated_at="updated_at",
    read_only=frozenset({"id", "tenant", "channel"}),
    paging="envelope",
    filters=("disabled",),
    check=_check_phone_template,
    before=_whole_content,
)


@operation("PATCH", "/branding/phone/templates/{id}/reset")
def reset_template(call: Call) -> Document:
    old = crud.asked(PHONE_TEMPLATES, call)
    body = {"text": "{{ code }} is your verification code for {{ friendly_name }}"}
    return crud.update(PHONE_TEMPLATES, call, old, {"content": {"body": body}})


def _try(call: Call, text: str) -> Reply:
    """The message goes to the sandbox's mail box, where every message goes."""
    sent = call.body or {}
    mailbox.text(call.tenant, sent["to"], text, channel=sent.get("delivery_method") or "text")
    return Reply(202, {"code": 202, "message": "Message sent."})


@operation("POST", "/branding/phone/providers/{id}/try")
def try_provider(call: Call) -> Reply:
    crud.asked(PHONE_PROVIDERS, call)
    return _try(call, "This is a test message.")


@operation("POST", "/branding/phone/templates/{id}/try")
def try_template(call: Call) -> Reply:
    template = crud.asked(PHONE_TEMPLATES, call)
    return _try(call, (template["content"].get("body") or {}).get("text") or "")


crud.register(PHONE_PROVIDERS, PHONE_TEMPLATES)
