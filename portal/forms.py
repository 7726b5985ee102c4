"""Input shapes: types, lengths, choices. Rules live elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from portal.models import AuditEvent, Tenant


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


class TenantForm(forms.ModelForm):
    """Secrets are write-only: an empty field keeps what is stored."""

    client_secret = forms.CharField(
        required=False, strip=True, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep the stored one.",
    )  # fmt: skip
    private_key = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text="PEM, for private key JWT instead of a secret. Leave empty to keep the stored one.",
    )  # fmt: skip

    reader_client_secret = forms.CharField(
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Of the reading application. Leave empty to keep the stored one.",
    )

    class Meta:
        model = Tenant
        fields = (
            *("name", "slug", "domain", "stage", "position", "protected", "read_only"),
            *("client_id", "client_secret", "private_key", "reader_client_id", "reader_client_secret"),
            *("ca_bundle", "variables"),
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("client_secret", "private_key", "reader_client_secret"):
            data[name] = data.get(name) or getattr(self.stored, name, "")
        if not data["client_secret"] and not data["private_key"]:
            self.add_error("client_secret", "Enter the client secret of the application, or a private key.")
        return data

    @property
    def stored(self) -> Tenant | None:
        return Tenant.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None


class AuditFilter(forms.Form):
    actor = forms.CharField(required=False)
    verb = forms.CharField(required=False)
    tenant = forms.CharField(required=False)
    target = forms.CharField(required=False)
    outcome = forms.ChoiceField(required=False, choices=[("", "Any outcome"), *AuditEvent.Outcome.choices])
