"""Input shapes of the database pages. What was typed is given back as it was; secrets are not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django import forms

from identity.databases import addresses
from identity.databases.form import (
    DEFAULT_COLUMNS,
    HASHES,
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    STORES,
    BadForm,
    Form,
    check,
    check_for_scripts,
)
from identity.databases.generate import SCRIPTS
from identity.databases.scripts import Content, written
from portal.errors import Invalid
from portal.forms import ReasonForm
from portal.models import Tenant

# Far more than Auth0 takes, so that the linter can say how much too long a script is, and nothing typed is lost.
LONGEST_SCRIPT = 400_000
LONGEST_SETTING = 4096
SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class ScriptField(forms.CharField):
    """Not an optional field, and no mistake where it is empty: the linter says which scripts are missing."""

    def validate(self, value: str) -> None:
        """Anything may be written."""


class EditorForm(forms.Form):
    """All scripts of a connection at once; `revision` is the save that the page showed (0: no working copy yet)."""

    use_required_attribute = False
    enabled = forms.BooleanField(required=False, label="Use my own database")
    import_mode = forms.BooleanField(
        required=False,
        label="Import mode",
        help_text="Users move to Auth0's store at their first sign-in. Only login and get_user are used then.",
    )
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, names: tuple[str, ...] = SCRIPTS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = names
        for name in names:
            self.fields[f"script-{name}"] = ScriptField(
                strip=False, max_length=LONGEST_SCRIPT, label=f"{name}.js",
                widget=forms.Textarea(attrs={"rows": 22, **PLAIN, "class": "form-control font-monospace"}),
            )  # fmt: skip

    def only_to_read(self) -> EditorForm:
        """For those who may look and not save."""
        for name, field in self.fields.items():
            if name.startswith("script-"):
                field.widget.attrs["readonly"] = True
            else:
                field.disabled = True
        return self

    @classmethod
    def of(cls, content: Content, revision: int) -> EditorForm:
        initial: dict[str, Any] = {f"script-{name}": code for name, code in content.scripts.items()}
        initial |= {"enabled": content.enabled, "import_mode": content.import_mode, "revision": revision}
        return cls(initial=initial, names=names_of(content))

    @property
    def content(self) -> Content:
        given = self.cleaned_data
        scripts = {name: given.get(f"script-{name}", "") for name in self.names}
        return Content(given["enabled"], given["import_mode"], written(scripts))

    @property
    def scripts(self) -> list[tuple[str, Any]]:
        return [(name, self[f"script-{name}"]) for name in self.names]


def names_of(content: Content) -> tuple[str, ...]:
    """The documented scripts, then others that are there."""
    return (*SCRIPTS, *(name for name in content.scripts if name not in SCRIPTS))


class StoreForm(forms.Form):
    """The short form that scripts are generated from, and that tells tests where users are stored."""

    # Which columns are required depends on the store: the answer says it, not the browser.
    use_required_attribute = False
    check_filled = staticmethod(check_for_scripts)
    store = forms.ChoiceField(choices=[*STORES.items()], label="Store")
    table = forms.CharField(
        label="Table or collection", max_length=300, initial="users", widget=forms.TextInput(attrs=PLAIN),
        help_text="Of no account for an HTTPS API.",
    )  # fmt: skip
    hash = forms.ChoiceField(
        choices=[*HASHES.items()], label="Password hash",
        help_text="Of no account for an HTTPS API, which checks passwords itself.",
    )  # fmt: skip
    import_mode = forms.BooleanField(
        required=False,
        label="Import mode",
        help_text="Users move to Auth0's store at their first sign-in. Only login and get_user are made.",
    )

    def __init__(self, *args: Any, connection: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = connection
        # An HTTPS API checks passwords itself.
        free = {*OPTIONAL_COLUMNS, *(["password"] if self.data.get("store") == "https_api" else [])}
        for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS):
            self.fields[f"column-{name}"] = forms.CharField(
                required=name not in free, label=name, max_length=300, initial=DEFAULT_COLUMNS.get(name, ""),
                error_messages={"required": "Name the column that holds this."},
                widget=forms.TextInput(attrs=PLAIN),
            )  # fmt: skip
        self.fields["column-user_id"].help_text = "In MongoDB usually _id."

    @staticmethod
    def initial_of(form: Form | None) -> dict[str, Any]:
        if form is None:
            return {}
        plain = {name: getattr(form, name) for name in ("store", "table", "hash", "import_mode")}
        columns = {f"column-{name}": "" for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)}
        return {**plain, **columns, **{f"column-{name}": column for name, column in form.columns.items()}}

    def clean(self) -> dict[str, Any]:
        """Every mistake at once: a field that is in error already keeps what was said first."""
        data = super().clean() or {}
        try:
            self.check_filled(self.filled)
        except BadForm as problem:
            for name, text in problem.errors.items():
                field = name.replace("columns.", "column-")
                if field not in self.errors:
                    self.add_error(field if field in self.fields else None, text)
        return data

    @property
    def filled(self) -> Form:
        given = self.cleaned_data
        names = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
        columns = {name: column for name in names if (column := given.get(f"column-{name}", "").strip())}
        return Form(
            store=given.get("store", ""), connection=self.connection, table=given.get("table", "").strip(),
            columns=columns, hash=given.get("hash", ""), import_mode=bool(given.get("import_mode")),
        )  # fmt: skip

    @property
    def required_columns(self) -> list[Any]:
        return [self[f"column-{name}"] for name in REQUIRED_COLUMNS]

    @property
    def optional_columns(self) -> list[Any]:
        return [self[f"column-{name}"] for name in OPTIONAL_COLUMNS]


class TestForm(StoreForm):
    """What contract tests need to know; the connection string is write-only."""

    __test__ = False
    check_filled = staticmethod(check)
    dsn = forms.CharField(
        required=False, max_length=2000, label="Database of your own",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="One that is there for tests: postgresql://user:password@host:5432/name, or mysql:// or mongodb://. "
        "Its table must exist; only test users (…@contract-test.example) are written and removed. Empty: one of our "
        "own starts. The address is kept encrypted until the run has ended, and never shown.",
    )  # fmt: skip
    thorough = forms.BooleanField(
        required=False, label="Also a database that never answers",
        help_text="Takes as long as the scripts' own time-outs: a minute or two.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["import_mode"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("dsn") and data.get("store"):
            try:
                addresses.check(data["dsn"], data["store"])
            except Invalid as problem:
                self.add_error("dsn", problem.message)
        return data


class SettingForm(forms.Form):
    """One setting of the scripts; its value is write-only."""

    name = forms.CharField(
        max_length=100, label="Name", help_text="Scripts read it as configuration.NAME.",
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "DATABASE_URL"}),
    )  # fmt: skip
    value = forms.CharField(
        max_length=LONGEST_SETTING, strip=False, label="Value",
        help_text="Kept encrypted; nobody can read it here again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if not SETTING_NAME.fullmatch(name):
            raise forms.ValidationError("Use letters, digits and underscores, and begin with a letter.")
        return str(name)


class ConfirmForm(ReasonForm):
    """A confirmation: the tenant's name is typed where it is protected or production."""

    typed_name = forms.CharField(required=False, widget=forms.TextInput(attrs=PLAIN))
    # SHA-256 of what was live on the screen.
    expected = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant
        if tenant.asks_for_its_name:
            self.fields["typed_name"].required = True
            self.fields["typed_name"].label = tenant.confirmation
        else:
            del self.fields["typed_name"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "typed_name" in data and not self.tenant.is_named(data["typed_name"]):
            self.add_error("typed_name", f"This must read {self.tenant.slug}.")
        return data


class PublishForm(ConfirmForm):
    comment = forms.CharField(
        required=False, max_length=500, label="What is new in this version", help_text="Shown in the list of versions."
    )
    untested_reason = forms.CharField(
        required=False, max_length=500, label="Why it may be published although not every check is green",
        help_text="Stays with the publication, and in the audit trail.",
    )  # fmt: skip
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    field_order = ["comment", "untested_reason", "reason", "ticket", "typed_name"]

    def __init__(self, *args: Any, tenant: Tenant, warned: bool, **kwargs: Any) -> None:
        super().__init__(*args, tenant=tenant, **kwargs)
        if warned:
            self.fields["untested_reason"].required = True
        else:
            del self.fields["untested_reason"]


class TickForm(forms.Form):
    item = forms.CharField(max_length=40, widget=forms.HiddenInput)
    fingerprint = forms.CharField(max_length=64, widget=forms.HiddenInput)
    note = forms.CharField(max_length=500, label="What was looked at")


def stored(form: Form) -> dict[str, Any]:
    """A Form as a draft keeps it."""
    return asdict(form)


def chosen(data: Mapping[str, str], name: str, allowed: list[str], default: str) -> str:
    """A parameter of the address, or the default where it is none of the allowed ones."""
    value = data.get(name, default)
    return value if value in allowed else default
