"""Input shapes of this app's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from deployments import plan
from deployments.archive import LARGEST_PROJECT_BYTES
from deployments.models import Snapshot


class ExportForm(forms.Form):
    note = forms.CharField(max_length=200, required=False, label="Note", help_text="What this snapshot is for.")
    prompts = forms.BooleanField(
        required=False,
        label="Read login texts too (prompts)",
        help_text="About 35 calls more for each language of the tenant: 5 to 10 seconds.",
    )


class UploadForm(forms.Form):
    project = forms.FileField(
        label="Zip file", help_text="A Deploy CLI project: the folder that holds tenant.json, clients, actions …"
    )
    note = forms.CharField(max_length=200, required=False, label="Note")

    def clean_project(self) -> Any:
        project = self.cleaned_data["project"]
        if project.size > LARGEST_PROJECT_BYTES:
            raise forms.ValidationError(f"The file is larger than {LARGEST_PROJECT_BYTES // 1_000_000} MB.")
        return project


class PairForm(forms.Form):
    """Which snapshot to compare with which."""

    source = forms.ModelChoiceField(Snapshot.objects.none(), label="From", empty_label="Choose a snapshot")
    target = forms.ModelChoiceField(Snapshot.objects.none(), label="To", empty_label="Choose a snapshot")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = Snapshot.objects.select_related("tenant").order_by("-pk")
        for name in ("source", "target"):
            choice = self.fields[name]
            choice.queryset = known  # type: ignore[attr-defined]
            choice.label_from_instance = _snapshot_label  # type: ignore[attr-defined]


def _snapshot_label(snapshot: Snapshot) -> str:
    note = f" · {snapshot.note}" if snapshot.note else ""
    return f"{snapshot.tenant.name} · {snapshot.created_at:%d %b %H:%M} · {snapshot.get_source_display().lower()}{note}"


def picks(data: QueryDict | Mapping[str, Any]) -> dict[str, plan.Pick]:
    """The picked items: `pick` names items, `keep` is "item>field path", `exact` names items with exact bindings."""
    chosen, kept, exact = (data.getlist(name) for name in ("pick", "keep", "exact"))  # type: ignore[union-attr]
    return {
        key: plan.Pick(key, frozenset(k.partition(">")[2] for k in kept if k.partition(">")[0] == key), key in exact)
        for key in chosen
    }
