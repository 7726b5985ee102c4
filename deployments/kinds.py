"""THE table: one row per kind of Auth0 resource, in the order in which the Deploy CLI applies them.

Everything that knows a kind by name stands here: where its files lie, what identifies an object, which fields are
secret or refer to other objects, which calls a change to it may make. Field paths are written with slashes; `*` is any
one step (a list index or a key).
"""
# ruff: noqa: E501  the rows of the table

from __future__ import annotations

import re
from dataclasses import dataclass

LIST, SINGLE, KEYED = "list", "single", "keyed"
# APIs that Auth0 makes in every tenant: they are neither exported nor promoted, and are always there.
SYSTEM_API = re.compile(r"^https://[^/]+/(api/v2|me|my-org|userinfo|mfa)/?$")
# The one object of a kind that is a settings document.
SETTINGS = "settings"


@dataclass(frozen=True)
class Text:
    """A field whose text lies in a file of its own. `base` is "root" or "file": what the stored path is relative to."""

    at: str
    path: str
    base: str = "file"


@dataclass(frozen=True)
class File:
    """Where objects lie in a Deploy CLI directory. `{field}` makes it one file per object; `into` is a key within it."""

    path: str
    into: str = ""
    texts: tuple[Text, ...] = ()

    @property
    def many(self) -> bool:
        return "{" in self.path

    @property
    def glob(self) -> str:
        return re.sub(r"\{\w+\}", "*", self.path)


@dataclass(frozen=True)
class Reference:
    """A field that names objects of another kind, or holds their keys. The first of `kinds` that has the name counts."""

    at: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """`writes` are the calls of a change, "METHOD /path"; `{id}` is the object's id, `{name}` its name, `*` a segment."""

    type: str
    label: str
    files: tuple[File, ...]
    scope: str = ""
    shape: str = LIST
    key: tuple[str, ...] = ("name",)
    api: str = ""
    id: str = "id"
    writes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    # The kind holds credentials under names that vary: every text under a secret-sounding name is masked.
    holds_secrets: bool = False
    # Not configuration: never compared, never written.
    volatile: tuple[str, ...] = ()
    # Lists whose order means something; all others are compared as sets.
    ordered: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    # Fields that a PATCH replaces as a whole: what is left out is lost.
    replaces: tuple[str, ...] = ()
    deletable: bool = False
    # Why a difference can't be promoted; empty where it can.
    compare_only: str = ""
    # Paths where the Management API answers 404 for "none", which is no sign of a reading problem.
    absent: tuple[str, ...] = ()
    # Scopes that each reading or writing of the kind needs besides its own.
    extra_scopes: tuple[str, ...] = ()
    # Scopes that only some objects, or some changes, need.
    part_scopes: tuple[str, ...] = ()
    # Fields that are written by calls with scopes of their own -> what those of part_scopes are named for.
    parts: tuple[tuple[str, str], ...] = ()
    # The verb of the scope that makes a new one, where it is another than that of the call.
    creating: str = ""

    @property
    def all_writes(self) -> tuple[str, ...]:
        standard = (f"POST {self.api}", f"PATCH {self.api}/{{id}}") if self.api else ()
        return standard + self.writes


def _folder(name: str, *texts: Text, file: str = "{name}") -> tuple[File, ...]:
    return (File(f"{name}/{file}.json", texts=texts),)


_ANY_CONNECTION = ("databases", "connections")
_TIMES = ("created_at", "updated_at")
_LEGACY = "Rules and hooks have ended; write an Action instead."

_TABLE = (
    Kind("rules", "Rules", _folder("rules", Text("script", "{name}.js")), "rules", compare_only=_LEGACY),
    Kind("hooks", "Hooks", _folder("hooks", Text("script", "./hooks/{name}/code.js", "root")), "hooks", compare_only=_LEGACY),
    Kind("pages", "Login pages", _folder("pages", Text("html", "{name}.html")), "clients",
         compare_only="Classic pages lie in the tenant's global application, which promotions leave alone."),
    Kind("resourceServers", "APIs", _folder("resource-servers"), "resource_servers",
         key=("identifier",), api="/resource-servers", volatile=("is_system", "client_id"), deletable=True),
    Kind("clients", "Applications", _folder("clients", Text("custom_login_page", "{name}_custom_login_page.html")), "clients",
         api="/clients", id="client_id", secrets=("client_secret", "signing_keys", "encryption_key/*"),
         volatile=("client_id", "client_secret", "signing_keys", "tenant", "global", "callback_url_template", "owners"),
         ordered=("callbacks", "allowed_logout_urls"), deletable=True,
         part_scopes=("read:user_attribute_profiles", "read:connection_profiles"),
         references=(Reference("allowed_clients/*", ("clients",)),
                     Reference("default_organization/organization_id", ("organizations",)))),
    Kind("guardianFactors", "MFA factors", _folder("guardian/factors"), "guardian_factors",
         volatile=("trial_expired",), writes=("PUT /guardian/factors/{name}",)),
    Kind("guardianFactorProviders", "MFA factor providers", _folder("guardian/providers", file="{name}-{provider}"),
         "guardian_factors", key=("name", "provider"), holds_secrets=True,
         writes=("PUT /guardian/factors/*/providers/*",), absent=("/guardian/",)),
    Kind("guardianFactorTemplates", "MFA message templates", _folder("guardian/templates"), "guardian_factors",
         writes=("PUT /guardian/factors/*/templates",), absent=("/guardian/",)),
    Kind("guardianPolicies", "MFA policies", (File("guardian/policies.json"),), "mfa_policies", shape=SINGLE,
         writes=("PUT /guardian/policies",)),
    Kind("guardianPhoneFactorMessageTypes", "Phone factor messages", (File("guardian/phoneFactorMessageTypes.json"),),
         "guardian_factors", shape=SINGLE, writes=("PUT /guardian/factors/phone/message-types",), absent=("/guardian/",)),
    Kind("guardianPhoneFactorSelectedProvider", "Phone factor provider",
         (File("guardian/phoneFactorSelectedProvider.json"),), "guardian_factors", shape=SINGLE,
         writes=("PUT /guardian/factors/phone/selected-provider",), absent=("/guardian/",)),
    Kind("actionModules", "Action modules", _folder("action-modules", Text("code", "./action-modules/{name}/code.js", "root")),
         "actions", api="/actions/modules", writes=("POST /actions/modules/{id}/versions",), deletable=True, part_scopes=("update:actions",),
         volatile=("actions_using_module_total", "all_changes_published", "latest_version_number")),
    Kind("attackProtection", "Attack protection",
         (File("attack-protection/bot-detection.json", "botDetection"),
          File("attack-protection/breached-password-detection.json", "breachedPasswordDetection"),
          File("attack-protection/brute-force-protection.json", "bruteForceProtection"),
          File("attack-protection/captcha.json", "captcha"),
          File("attack-protection/suspicious-ip-throttling.json", "suspiciousIpThrottling")),
         "attack_protection", shape=SINGLE, holds_secrets=True, writes=("PATCH /attack-protection/*",)),
    Kind("riskAssessment", "Risk assessment", (File("risk-assessment/settings.json"),), "attack_protection", shape=SINGLE,
         writes=("PATCH /risk-assessments/settings", "PATCH /risk-assessments/settings/new-device")),
    Kind("customDomains", "Custom domains", (File("custom-domains/custom-domains.json"),), "custom_domains", key=("domain",),
         api="/custom-domains", id="custom_domain_id", volatile=("status", "verification", "primary"),
         compare_only="A domain belongs to one tenant and is proved by DNS records."),
    Kind("networkACLs", "Network ACLs", _folder("network-acls", file="{description}-p-{priority}"), "network_acls",
         key=("description", "priority"), api="/network-acls", volatile=_TIMES, deletable=True),
    Kind("userAttributeProfiles", "User attribute profiles", _folder("user-attribute-profiles"), "user_attribute_profiles",
         api="/user-attribute-profiles", deletable=True),
    Kind("connectionProfiles", "Connection profiles", _folder("connection-profiles"), "connection_profiles",
         api="/connection-profiles", deletable=True),
    Kind("rateLimitPolicies", "Rate limit policies", _folder("rate-limit-policies", file="{consumer_selector}"),
         "rate_limit_policies", key=("consumer_selector",), api="/rate-limit-policies", volatile=_TIMES, deletable=True),
    Kind("actions", "Actions", _folder("actions", Text("code", "./actions/{name}/code.js", "root")), "actions",
         api="/actions/actions", writes=("POST /actions/actions/{id}/deploy",), secrets=("secrets/*/value",),
         volatile=("status", "installed_integration_id"), deletable=True, extra_scopes=("create:actions",),
         references=(Reference("modules/*/module_name", ("actionModules",)),)),
    Kind("databases", "Database connections",
         (File("database-connections/{name}/database.json", texts=(Text("options/customScripts/*", "{key}.js"),)),),
         "connections", api="/connections", holds_secrets=True, secrets=("options/configuration/*",),
         writes=("PATCH /connections/{id}/clients",), absent=("/connections/",),
         extra_scopes=("read:connections_options", "update:connections", "update:connections_options"),
         references=(Reference("enabled_clients/*", ("clients",)),
                     Reference("options/custom_password_hash/action_id", ("actions",)))),
    Kind("connections", "Connections", _folder("connections", Text("options/email/body", "{name}.html")), "connections",
         api="/connections", holds_secrets=True, volatile=("provisioning_ticket_url", "realms"), replaces=("options",),
         writes=("PATCH /connections/{id}/clients", "POST /connections/{id}/scim-configuration",
                 "PATCH /connections/{id}/scim-configuration", "POST /connections/{id}/directory-provisioning",
                 "PATCH /connections/{id}/directory-provisioning"),
         absent=("/connections/", "/connections-directory-provisionings"), deletable=True,
         extra_scopes=("read:connections_options", "update:connections", "update:connections_options",
                       "read:directory_provisionings", "read:scim_config"),
         part_scopes=("create:directory_provisionings", "update:directory_provisionings", "create:scim_config",
                      "update:scim_config"),
         parts=(("directory_provisioning_configuration", "directory_provisionings"),
                ("scim_configuration", "scim_config")),
         references=(Reference("enabled_clients/*", ("clients",)),
                     Reference("options/idpinitiated/client_id", ("clients",)))),
    Kind("emailProvider", "E-mail provider", (File("emails/provider.json"),), "email_provider", shape=SINGLE,
         holds_secrets=True, secrets=("credentials/*",), writes=("POST /emails/provider", "PATCH /emails/provider"),
         absent=("/emails/provider",), part_scopes=("create:email_provider",)),
    Kind("clientGrants", "Client grants", _folder("grants", file="{client_id}-{audience}"), "client_grants",
         key=("client_id", "audience"), api="/client-grants", deletable=True,
         references=(Reference("client_id", ("clients",)), Reference("audience", ("resourceServers",)))),
    Kind("roles", "Roles", _folder("roles"), "roles", api="/roles", deletable=True,
         writes=("POST /roles/{id}/permissions", "DELETE /roles/{id}/permissions"), extra_scopes=("update:roles",),
         references=(Reference("permissions/*/resource_server_identifier", ("resourceServers",)),)),
    Kind("phoneProviders", "Phone providers", (File("phone-providers/provider.json"),), "phone_providers",
         api="/branding/phone/providers", holds_secrets=True, secrets=("credentials/*",), volatile=_TIMES),
    Kind("themes", "Themes", _folder("themes", file="theme{index}"), "branding", key=("displayName",), api="/branding/themes",
         id="themeId", absent=("/branding/themes",), creating="update"),
    Kind("selfServiceProfiles", "Self-service profiles", _folder("self-service-profiles"), "self_service_profiles",
         api="/self-service-profiles", volatile=_TIMES, writes=("PUT /self-service-profiles/{id}/custom-text/*/*",),
         deletable=True,
         extra_scopes=("read:self_service_profile_custom_texts",),
         part_scopes=("update:self_service_profile_custom_texts",),
         parts=(("customText", "self_service_profile_custom_texts"),), references=(Reference("user_attribute_profile_id", ("userAttributeProfiles",)),)),
    Kind("phoneTemplates", "Phone templates", _folder("phone-templates", file="{type}"), "phone_templates", key=("type",),
         api="/branding/phone/templates", volatile=_TIMES),
    Kind("tokenExchangeProfiles", "Token exchange profiles", _folder("token-exchange-profiles"), "token_exchange_profiles",
         api="/token-exchange-profiles", volatile=_TIMES, deletable=True,
         references=(Reference("action_id", ("actions",)),)),
    Kind("emailTemplates", "E-mail templates", _folder("emails", Text("body", "{template}.html"), file="{template}"),
         "email_templates", key=("template",), absent=("/email-templates/",),
         writes=("POST /email-templates", "PATCH /email-templates/{name}", "PUT /email-templates/{name}")),
    Kind("branding", "Branding",
         (File("branding/branding.json"),
          File("branding/templates/{template}.json", "templates", (Text("body", "{template}.html"),))),
         "branding", shape=SINGLE, absent=("/branding/templates/",), extra_scopes=("read:custom_domains",), part_scopes=("update:prompts",),
         writes=("PATCH /branding", "PUT /branding/templates/universal-login", "PATCH /prompts")),
    Kind("organizations", "Organizations", _folder("organizations"), "organizations", api="/organizations", deletable=True,
         writes=("POST /organizations/{id}/enabled_connections", "PATCH /organizations/{id}/enabled_connections/*",
                 "DELETE /organizations/{id}/enabled_connections/*", "POST /organizations/{id}/connections",
                 "PATCH /organizations/{id}/connections/*", "DELETE /organizations/{id}/connections/*",
                 "POST /organizations/{id}/client-grants", "DELETE /organizations/{id}/client-grants/*",
                 "POST /organizations/{id}/clients", "DELETE /organizations/{id}/clients",
                 "POST /organizations/{id}/discovery-domains", "PATCH /organizations/{id}/discovery-domains/*",
                 "DELETE /organizations/{id}/discovery-domains/*"),
         extra_scopes=("read:organization_connections", "read:organization_client_grants", "read:organization_clients",
                       "read:organization_discovery_domains"),
         part_scopes=("create:organization_connections", "update:organization_connections",
                      "delete:organization_connections", "create:organization_client_grants",
                      "delete:organization_client_grants", "create:organization_clients", "delete:organization_clients",
                      "create:organization_discovery_domains", "update:organization_discovery_domains",
                      "delete:organization_discovery_domains"),
         parts=(("connections", "organization_connections"), ("client_grants", "organization_client_grants"),
                ("clients", "organization_clients"), ("discovery_domains", "organization_discovery_domains")),
         references=(Reference("connections/*/name", _ANY_CONNECTION),
                     Reference("client_grants/*/client_id", ("clients",)), Reference("client_grants/*", ("clientGrants",)),
                     Reference("clients/*/client_id", ("clients",)))),
    Kind("logStreams", "Log streams", _folder("log-streams"), "log_streams", api="/log-streams", holds_secrets=True,
         secrets=("sink/httpAuthorization", "sink/splunkToken", "sink/datadogApiKey", "sink/segmentWriteKey",
                  "sink/mixpanelServiceAccountPassword"),
         replaces=("sink",), volatile=("status",), deletable=True),
    Kind("flowVaultConnections", "Flow vault connections", _folder("flow-vault-connections"), "flows_vault_connections",
         api="/flows/vault/connections", holds_secrets=True, secrets=("setup/*",), deletable=True,
         volatile=("account_name", "ready", "environment")),
    Kind("eventStreams", "Event streams", _folder("event-streams"), "event_streams", api="/event-streams", holds_secrets=True,
         secrets=("destination/configuration/webhook_authorization/token",
                  "destination/configuration/webhook_authorization/password",
                  "destination/configuration/webhook_authorization/header_value"),
         replaces=("destination",), volatile=("status", *_TIMES), deletable=True, extra_scopes=("read:actions",)),
    Kind("prompts", "Prompts",
         (File("prompts/prompts.json"), File("prompts/custom-text.json", "customText"),
          File("prompts/partials.json", "partials"),
          File("prompts/screenRenderSettings/{prompt}_{screen}.json", "screenRenderers")),
         "prompts", shape=SINGLE, absent=("/prompts/",), volatile=("screenRenderers/*/tenant",), extra_scopes=("read:tenant_settings",),
         writes=("PATCH /prompts", "PUT /prompts/*/custom-text/*", "PUT /prompts/*/partials", "PATCH /prompts/rendering")),
    Kind("triggers", "Action bindings", (File("triggers/triggers.json"),), "actions", shape=KEYED, ordered=("",),
         writes=("PATCH /actions/triggers/{name}/bindings",), references=(Reference("*/action_name", ("actions",)),)),
    Kind("flows", "Flows", _folder("flows"), "flows", api="/flows", ordered=("*",), deletable=True,
         references=(Reference("actions/*/params/connection_id", ("flowVaultConnections",)),)),
    Kind("forms", "Forms", _folder("forms"), "forms", api="/forms", ordered=("*",), deletable=True,
         references=(Reference("nodes/*/config/flow_id", ("flows",)),)),
    Kind("tenant", "Tenant settings", (File("tenant.json"),), "tenant_settings", shape=SINGLE,
         volatile=("sandbox_versions_available",), writes=("PATCH /tenants/settings",),
         references=(Reference("default_directory", _ANY_CONNECTION),)),
    Kind("supplementalSignals", "Supplemental signals", (File("supplemental-signals.json"),), "attack_protection",
         shape=SINGLE, writes=("PATCH /supplemental-signals",), absent=("/supplemental-signals",)),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.type: kind for kind in _TABLE}
# Not read unless asked for: rules and hooks have ended; prompts alone cost 35 calls for each language of the tenant.
SKIPPED_ALWAYS = ("rules", "rulesConfigs", "hooks")
SLOW = ("prompts",)
# What a reading of one kind needs beside it, so that the Deploy CLI can write names where the API gives ids.
READ_WITH: dict[str, tuple[str, ...]] = {
    "clientGrants": ("clients", "resourceServers"),
    "connections": ("clients",),
    "databases": ("clients", "actions"),
    "organizations": ("connections", "databases", "clients", "clientGrants"),
    "clients": ("userAttributeProfiles", "connectionProfiles"),
    "selfServiceProfiles": ("userAttributeProfiles",),
    "forms": ("flows",),
    "flows": ("flowVaultConnections",),
    "tokenExchangeProfiles": ("actions",),
    "resourceServers": ("clients",),
    "phoneTemplates": ("phoneProviders",),
}


def order(kind: str) -> int:
    """Place in the table; what is applied first comes first."""
    return list(KINDS).index(kind)


def with_needed(kinds: set[str]) -> list[str]:
    """The kinds and all that must be read with them, in the table's order."""
    wanted: set[str] = set()
    todo = set(kinds)
    while todo:
        kind = todo.pop()
        wanted.add(kind)
        todo |= set(READ_WITH.get(kind, ())) - wanted
    return [kind for kind in KINDS if kind in wanted]
