"""How Django forms look: the templates of a form and of a field, and the CSS class of each kind of input."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.forms.widgets import Input

# The first that fits; hidden inputs need none.
CLASSES: list[tuple[type[forms.Widget], str]] = [
    (forms.CheckboxInput, "form-check-input"),
    (forms.CheckboxSelectMultiple, "form-check-input"),
    (forms.RadioSelect, "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Textarea, "form-control"),
    (Input, "form-control"),
]


class SecretTextarea(forms.Textarea):
    """For secrets of several lines: as in a password field, what was typed is never written back into a page."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class LookBoundField(BoundField):
    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        attrs = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        kind = "" if widget.is_hidden else next((css for base, css in CLASSES if isinstance(widget, base)), "")
        css = " ".join(str(part) for part in (kind, widget.attrs.get("class"), attrs.get("class")) if part)
        return {**attrs, "class": css} if css else attrs


class Renderer(TemplatesSetting):
    """FORM_RENDERER: forms render through our templates, so `{{ form }}` and `as_field_group` look like the pages."""

    form_template_name = "components/_form.html"
    field_template_name = "components/_field.html"
    bound_field_class = LookBoundField
