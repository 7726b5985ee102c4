"""Input shapes of the user pages."""

from __future__ import annotations

import uuid

from django import forms

from identity.users.verbs import Verb
from portal.forms import ReasonForm


class ActForm(ReasonForm):
    """A confirmation. `once` is new in each form that is shown, so a second press of the button does nothing."""

    once = forms.UUIDField(widget=forms.HiddenInput)


class RemoveMfaForm(ActForm):
    method = forms.CharField(required=False, widget=forms.HiddenInput)
    passkeys = forms.BooleanField(
        required=False,
        label="Remove passkeys too",
        help_text="A passkey may be the only way this user signs in. Tick this where the device is lost or stolen.",
    )
    field_order = ["passkeys", "reason", "ticket"]


def form_class(verb: Verb) -> type[ActForm]:
    return RemoveMfaForm if verb.name == "remove_mfa" else ActForm


def blank(verb: Verb) -> ActForm:
    return form_class(verb)(
        initial={"once": uuid.uuid4(), "reason": verb.usual_reason}, auto_id=f"{verb.slug}-%s", prefix=None
    )
