"""The e-mails of login: the tenant's own templates where they are enabled, else the sandbox's."""

from __future__ import annotations

import html as html_module
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from sandbox import mailbox
from sandbox.login import configuration
from sandbox.store import Document
from sandbox.tenant import Tenant

# template -> (subject, what it says, the text of its button)
TEXTS = {
    "verify_email": ("Verify your email", "Please confirm that this e-mail address is yours.", "Confirm my account"),
    "verify_email_by_code": ("Verify your email", "Your verification code is {code}.", ""),
    "reset_email": ("Reset your password", "You asked to change your password.", "Change my password"),
    "reset_email_by_code": ("Reset your password", "Your code to change the password is {code}.", ""),
    "welcome_email": ("Welcome", "Your account is ready.", ""),
    "blocked_account": ("Your account has been blocked", "We noticed many failed sign-ins.", "Unblock my account"),
    "mfa_oob_code": ("Your verification code", "Your verification code is {code}.", ""),
    "passwordless_email": ("Your sign-in code", "Your code is {code}. Or follow the link.", "Sign in"),
    "enrollment_email": ("Enroll in multi-factor authentication", "Please set up a second factor.", "Start enrollment"),
    "user_invitation": ("You have been invited", "You have been invited to join {organization}.", "Accept"),
    "password_reset": ("Your password was changed", "Your password has just been changed.", ""),
}


@dataclass(frozen=True)
class Mail:
    subject: str
    html: str
    text: str


def deliver(tenant: Tenant, template: str, user: Document, link: str | None = None, **values: Any) -> bool:
    """Put the e-mail in the tenant's mail box; False for a user without an address."""
    if not user.get("email"):
        return False
    mail = render(tenant, template, user, link, **values)
    mailbox.send(tenant, user["email"], template, mail.subject, mail.html, mail.text, link)
    return True


def render(tenant: Tenant, template: str, user: Document, link: str | None = None, **values: Any) -> Mail:
    """`values` are what the template may show beside user, url and tenant: code, organization ..."""
    subject, sentence, button = TEXTS[template]
    sentence = sentence.format_map({"code": "", "organization": ""} | values)
    text = "\n\n".join(part for part in (sentence, link, f"— {configuration.friendly_name(tenant)}") if part)
    own = _own_template(tenant, template)
    if own is None:
        return Mail(subject, _html(subject, sentence, button, link, configuration.friendly_name(tenant)), text)
    context = _context(tenant, user, link, values)
    return Mail(_filled(own.get("subject") or subject, context, subject), _filled(own.get("body"), context, text), text)


def _own_template(tenant: Tenant, template: str) -> Document | None:
    found = tenant.store.get("email_templates", template) or tenant.store.first("email_templates", template=template)
    return found if found and found.get("enabled") and found.get("body") else None


def _context(tenant: Tenant, user: Document, link: str | None, values: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in user.items() if not key.startswith("_")}
    name = configuration.friendly_name(tenant)
    settings = configuration.tenant_settings(tenant)
    return {
        "user": shown,
        "url": link or "",
        "tenant": tenant.name,
        "friendly_name": name,
        "support_email": settings.get("support_email", ""),
        "support_url": settings.get("support_url", ""),
        "application": {"name": name, "clientID": ""},
        "connection": {"name": (user.get("identities") or [{}])[0].get("connection", "")},
        **values,
    }


@cache
def _environment() -> SandboxedEnvironment:
    """Liquid's common part is Jinja's too: variables, if, for, escape."""
    return SandboxedEnvironment(autoescape=True)


def _filled(source: Any, context: dict[str, Any], otherwise: str) -> str:
    try:
        return _environment().from_string(str(source)).render(context)
    except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError):
        return otherwise


def _html(subject: str, sentence: str, button: str, link: str | None, sender: str) -> str:
    def safe(text: str) -> str:
        return html_module.escape(text)

    action = f'<p><a href="{safe(link)}">{safe(button)}</a></p><p>{safe(link)}</p>' if link else ""
    return f"<h1>{safe(subject)}</h1><p>{safe(sentence)}</p>{action}<p>{safe(sender)}</p>"
