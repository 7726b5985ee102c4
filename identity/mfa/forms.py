"""Input shapes of the policy pages. What was typed is given back as it was, mistakes with their line beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from identity.mfa import domains, drafts, generate
from identity.mfa import policy as policies
from identity.mfa.factors import FACTORS
from identity.mfa.models import Policy
from identity.mfa.policy import CHOICES, PolicyRules, Rule
from portal.errors import Invalid
from portal.forms import ReasonForm
from portal.models import Tenant

# One entry may be 253 characters long; an Action holds far fewer of them.
LONGEST_LIST = 1_000_000
MOST_PROBLEMS_SHOWN = 20


class DomainRuleForm(forms.Form):
    """One rule of the kind "email_domains"."""

    # The browser must not stop a save for an empty list: the answer says what to write.
    use_required_attribute = False
    domains = forms.CharField(
        max_length=LONGEST_LIST,
        label="E-mail domains",
        error_messages={"required": "The list is empty. Write at least one domain, such as acme.example."},
        help_text="One a line. *.acme.example stands for every sub-domain of acme.example.",
        widget=forms.Textarea(
            attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "none", "class": "font-monospace"}
        ),
    )
    factors = forms.MultipleChoiceField(
        label="Factors allowed",
        error_messages={"required": "Choose at least one factor."},
        choices=[(type, factor.label) for type, factor in FACTORS.items()],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_domains(self) -> list[str]:
        found = domains.parse(self.cleaned_data["domains"])
        self.notes = [str(note) for note in found.notes]
        problems = [str(problem) for problem in found.problems]
        if len(problems) > MOST_PROBLEMS_SHOWN:
            problems[MOST_PROBLEMS_SHOWN:] = [f"… and {len(problems) - MOST_PROBLEMS_SHOWN} more lines."]
        if not problems and not found.domains:
            problems = ["The list is empty. Write at least one domain, such as acme.example."]
        if problems:
            raise forms.ValidationError(problems)
        return found.domains

    def clean_factors(self) -> list[str]:
        chosen = self.cleaned_data["factors"]
        try:
            policies.check_factors(tuple(chosen))
        except Invalid as problem:
            raise forms.ValidationError(problem.message) from None
        return chosen

    notes: list[str] = []  # noqa: RUF012  replaced by clean_domains, never changed

    @property
    def rule(self) -> Rule:
        given = self.cleaned_data
        return Rule("email_domains", {"domains": given["domains"]}, tuple(given["factors"]))


class PolicyForm(forms.Form):
    """The name and the choices; `revision` is the save that the page showed (0: a new policy)."""

    name = forms.CharField(max_length=80, label="Name", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    missing_email = forms.ChoiceField(
        label="Users without an e-mail address", choices=[*CHOICES["missing_email"].items()], widget=forms.RadioSelect
    )
    unverified_email = forms.ChoiceField(
        label="Users whose address is not verified and who have no factor yet",
        choices=[*CHOICES["unverified_email"].items()],
        widget=forms.RadioSelect,
    )
    password_grant = forms.ChoiceField(
        label="Programs without a sign-in page", choices=[*CHOICES["password_grant"].items()], widget=forms.RadioSelect
    )
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    rules = forms.IntegerField(min_value=1, max_value=policies.MOST_RULES, widget=forms.HiddenInput)

    def __init__(self, *args: Any, policy: Policy | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if drafts.is_taken(name, by_another_than=self.policy):
            raise forms.ValidationError(f"There is a policy named “{name}” already. Choose another name.")
        return name


@dataclass
class Editor:
    """The whole form: the policy's own fields and one form per rule. Use `of` or `typed`."""

    form: PolicyForm
    rule_forms: list[DomainRuleForm]
    problem: str = ""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, policy: Policy | None) -> Editor:
        """What is stored, or a new policy."""
        content = policy.content if policy else {}
        rules = content.get("rules") or [{"condition": {"domains": []}, "factors": ["otp", "webauthn-roaming"]}]
        initial = {choice: content.get(choice, next(iter(values))) for choice, values in CHOICES.items()}
        initial |= {"name": policy.name if policy else "", "revision": policy.revision if policy else 0}
        rows = [
            {"domains": "\n".join(map(domains.in_unicode, rule["condition"]["domains"])), "factors": rule["factors"]}
            for rule in rules
        ]
        return cls._unbound(initial, rows, policy)

    @classmethod
    def typed(cls, data: MultiValueDict[str, str], policy: Policy | None = None) -> Editor:
        """What a person sent; `is_valid` reads it."""
        form = PolicyForm(data, policy=policy)
        return cls(form, [DomainRuleForm(data, prefix=f"rule-{n}") for n in range(_count(data))])

    @classmethod
    def changed(cls, data: MultiValueDict[str, str], act: str, policy: Policy | None = None) -> Editor:
        """What was typed, with a rule more ("add") or less ("remove-2"), nothing judged yet."""
        rows = [
            {"domains": data.get(f"rule-{n}-domains", ""), "factors": data.getlist(f"rule-{n}-factors")}
            for n in range(_count(data))
        ]
        if act == "add" and len(rows) < policies.MOST_RULES:
            rows.append({"domains": "", "factors": ["otp"]})
        number = act.removeprefix("remove-")
        if number.isdigit() and 0 <= int(number) < len(rows) > 1:
            rows.pop(int(number))
        initial = {name: data.get(name, "") for name in ("name", "revision", *CHOICES)}
        return cls._unbound(initial, rows, policy)

    @classmethod
    def _unbound(cls, initial: dict[str, Any], rows: list[dict[str, Any]], policy: Policy | None) -> Editor:
        form = PolicyForm(initial={**initial, "rules": len(rows)}, policy=policy)
        return cls(form, [DomainRuleForm(initial=row, prefix=f"rule-{n}") for n, row in enumerate(rows)])

    def is_valid(self) -> bool:
        """Also whether the policy as a whole can become an Action; `problem` says why not."""
        sound = [form.is_valid() for form in (self.form, *self.rule_forms)]
        numbered = enumerate(self.rule_forms, start=1)
        self.notes = [f"Rule {n}, {note[0].lower()}{note[1:]}" for n, form in numbered for note in form.notes]
        if not all(sound):
            return False
        try:
            generate.code_of(self.rules, name=self.name, version=None)
        except Invalid as problem:
            self.problem = problem.message
        return not self.problem

    @property
    def name(self) -> str:
        return str(self.form.cleaned_data["name"])

    @property
    def rules(self) -> PolicyRules:
        choices = {choice: self.form.cleaned_data[choice] for choice in CHOICES}
        return PolicyRules(tuple(form.rule for form in self.rule_forms), **choices)


class PublishForm(ReasonForm):
    """The confirmation. What must be typed depends on the tenant, and on who would be locked out."""

    comment = forms.CharField(
        required=False, max_length=500, label="What is new in this version", help_text="Shown in the list of versions."
    )
    customize = forms.BooleanField(
        required=False,
        label="Switch on “Customize MFA Factors using Actions”, without which nothing works",
    )
    accept_lockout = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    typed_name = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    # What was on the screen: the draft's revision, and the live publication of the tenant.
    revision = forms.IntegerField(widget=forms.HiddenInput)
    expected = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = ["comment", "reason", "ticket", "customize", "accept_lockout", "typed_name"]

    def __init__(
        self, *args: Any, tenant: Tenant, locked_out: int = 0, customizable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.must_be_typed: dict[str, str] = {}
        if tenant.asks_for_its_name:
            self._ask("typed_name", tenant.slug, tenant.confirmation)
        if locked_out:
            phrase = f"lock out {locked_out} {'person' if locked_out == 1 else 'people'}"
            self._ask("accept_lockout", phrase, f"Type “{phrase}” if that is really wanted")
        for name in {"typed_name", "accept_lockout"} - set(self.must_be_typed):
            del self.fields[name]
        if customizable:
            del self.fields["customize"]

    def _ask(self, name: str, text: str, label: str) -> None:
        self.must_be_typed[name] = text
        self.fields[name].required = True
        self.fields[name].label = label

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, text in self.must_be_typed.items():
            if name in data and data[name].strip().lower() != text.lower():
                self.add_error(name, f"This must read {text}.")
        return data


class RemoveForm(PublishForm):
    """Taking the policy out of the login flow; the tenant's name is always typed."""

    field_order = ["reason", "ticket", "typed_name"]

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, tenant=tenant, **kwargs)
        del self.fields["comment"], self.fields["revision"]
        if "typed_name" not in self.fields:
            self.fields["typed_name"] = self.base_fields["typed_name"]
            self._ask("typed_name", tenant.slug, tenant.confirmation)


def _count(data: MultiValueDict[str, str]) -> int:
    text = data.get("rules", "") or ""
    return min(max(int(text), 1), policies.MOST_RULES) if text.isdigit() else 1
