"""Input shapes: types, lengths, choices. Rules live elsewhere."""

from __future__ import annotations

import ssl
from typing import Any, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django import forms
from django.conf import settings
from django.utils.datastructures import MultiValueDict

from portal.access import ACTS
from portal.models import AuditEvent, Tenant
from portal.widgets import SecretTextarea

SMALLEST_KEY_BITS = 2048
# Auth0 makes client ids of 32 characters, and secrets of 64.
LONGEST_CLIENT_ID = 48


class ReasonForm(forms.Form):
    """Why an act is done; part of every confirmation. A protected tenant asks for its typed name as well."""

    reason = forms.CharField(
        max_length=500,
        label="Reason",
        help_text="Stays in the audit trail.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    ticket = forms.CharField(
        max_length=80, required=False, label="Ticket", help_text="Number in your ticket system, if there is one."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = settings.REASON_REQUIRED

    def shown_again(self, problem: str, **now: Any) -> Self:
        """What was typed, for a page that shows what has changed meanwhile; `now`: hidden fields of that page."""
        self.data = {name: self.data[name] for name in self.data} | now
        self.add_error(None, problem)
        return self


class TenantForm(forms.ModelForm):
    """Secrets are write-only: an empty field keeps what is stored."""

    client_secret = forms.CharField(
        required=False, strip=True, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep what is stored. A new secret takes the place of a private key.",
    )  # fmt: skip
    private_key = forms.CharField(
        required=False, widget=SecretTextarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text="PEM, for private key JWT instead of a secret. Leave empty to keep what is stored.",
    )  # fmt: skip
    reader_client_secret = forms.CharField(
        required=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Of the reading application. Leave empty to keep what is stored.",
    )  # fmt: skip
    reader_private_key = forms.CharField(
        required=False, widget=SecretTextarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text="Of the reading application, instead of its secret. Leave empty to keep what is stored.",
    )  # fmt: skip

    class Meta:
        model = Tenant
        fields = (
            *("name", "slug", "domain", "stage", "position", "protected", "read_only"),
            *("client_id", "client_secret", "private_key"),
            *("reader_client_id", "reader_client_secret", "reader_private_key"),
            *("ca_bundle", "variables"),
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in {"client_id", "reader_client_id"} & set(self.errors):
            self._forget(name)
        self._settle("client_secret", "private_key", data)
        if data.get("reader_client_id"):
            self._settle("reader_client_secret", "reader_private_key", data)
        elif data.get("reader_client_secret") or data.get("reader_private_key"):
            if "reader_client_id" not in self.errors:
                self.add_error("reader_client_id", "Enter the client id that the reader's secret or key belongs to.")
        else:
            data |= {"reader_client_secret": "", "reader_private_key": ""}
        return data

    def clean_client_id(self) -> str:
        return self._client_id("client_id")

    def clean_reader_client_id(self) -> str:
        return self._client_id("reader_client_id")

    def clean_private_key(self) -> str:
        return _rsa_key(self.cleaned_data["private_key"])

    def clean_reader_private_key(self) -> str:
        return _rsa_key(self.cleaned_data["reader_private_key"])

    def clean_ca_bundle(self) -> str:
        text = self.cleaned_data["ca_bundle"].strip()
        if "PRIVATE KEY-----" in text:
            self._forget("ca_bundle")
            raise forms.ValidationError("There is a private key in it. Enter the certificates alone.")
        try:
            if text:
                ssl.create_default_context().load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            raise forms.ValidationError("These are no certificates in PEM: -----BEGIN CERTIFICATE----- …") from None
        return text

    def _client_id(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        if len(text) > LONGEST_CLIENT_ID:
            raise forms.ValidationError("This is too long for a client id. A secret belongs into the secret's field.")
        return text

    def _forget(self, name: str) -> None:
        """A secret in the wrong field is not written back into the page."""
        self.data = MultiValueDict({**dict(self.data.lists()), name: [""]})  # type: ignore[attr-defined]

    def _settle(self, secret: str, key: str, data: dict[str, Any]) -> None:
        """What is typed takes the place of what is stored; of secret and key an application has one."""
        if data.get(secret) and data.get(key):
            self.add_error(key, "Enter the secret or a private key, not both.")
        elif not data.get(secret) and not data.get(key):
            data |= {name: getattr(self.stored, name, "") for name in (secret, key)}
            if not data[secret] and not data[key] and not self.errors.get(key):
                self.add_error(secret, "Enter the client secret of the application, or a private key.")

    @property
    def stored(self) -> Tenant | None:
        return Tenant.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None


def _rsa_key(text: str) -> str:
    """Raises ValidationError for what private key JWT can't be signed with."""
    text = text.strip()
    try:
        key = load_pem_private_key(text.encode(), password=None) if text else None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise forms.ValidationError("This is no private key in PEM, or it is protected by a password.") from None
    if key and not (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SMALLEST_KEY_BITS):
        raise forms.ValidationError(f"Auth0 takes RSA keys of {SMALLEST_KEY_BITS} bits or more for private key JWT.")
    return text


class AuditFilter(forms.Form):
    """Each text finds a part of what it is compared with (portal.views_audit.COMPARED)."""

    actor = forms.CharField(required=False, label="By")
    verb = forms.ChoiceField(required=False, label="Act", choices=[("", "Any act"), *ACTS.items()])
    target = forms.CharField(required=False, label="On")
    why = forms.CharField(required=False, label="Reason or ticket")
    tenant = forms.CharField(required=False)
    outcome = forms.ChoiceField(required=False, choices=[("", "Any outcome"), *AuditEvent.Outcome.choices])
    since = forms.DateField(required=False, label="From day", widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(required=False, label="To day", widget=forms.DateInput({"type": "date"}))
