"""What a policy would do, before it does: its code, one user in every situation, all users; also while it is typed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from identity.mfa import drafts, generate, population, simulate
from identity.mfa import policy as policies
from identity.mfa.factors import labels
from identity.mfa.forms import Editor
from identity.mfa.models import Policy
from identity.mfa.policy import PolicyRules
from identity.users import records
from portal import tenants
from portal.access import PermissionView, check
from portal.errors import Invalid
from portal.models import Run


class Draft(PermissionView):
    """Views that take a draft: the editor's fields as they are now, or `policy`, the id of a stored one."""

    permission = "mfa.view"

    def draft(self) -> tuple[str, PolicyRules]:
        """(name, rules). Raises Invalid with every mistake, where what was typed makes no policy."""
        data = self.request.POST
        if "rules" not in data:
            number = data.get("policy", "")
            policy = get_object_or_404(Policy, pk=int(number) if number.isdigit() else 0)
            return policy.name, policies.from_json(policy.content)
        editor = self.editor()
        if not editor.is_valid():
            raise Invalid(" ".join(mistakes(editor)))
        return editor.name, editor.rules

    def editor(self) -> Editor:
        """A preview must not fail for a name that is missing or in use."""
        data = self.request.POST.copy()
        number = data.get("policy", "")
        policy = Policy.objects.filter(pk=int(number)).first() if number.isdigit() else None
        name = " ".join(data.get("name", "").split())[:80]
        taken = drafts.is_taken(name, by_another_than=policy)
        data["name"] = f"{name[:70]} (draft)" if taken else name or "Without a name"
        return Editor.typed(data, policy)


class Code(Draft):
    """The generated Action beside the form, as it is typed."""

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        editor = self.editor()
        sound = editor.is_valid()
        context: dict[str, Any] = {"notes": editor.notes, "mistakes": mistakes(editor)}
        if sound:
            code = generate.code_of(editor.rules, name=editor.name, version=None)
            context |= {"code": code, "size": len(code.encode()), "sentences": policies.sentences(editor.rules)}
        return render(request, "identity/mfa/_code.html", context)


class PreviewUser(Draft):
    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        check(self.person, "users.view")
        tenants.require(self.tenant, "mfa.preview")
        name, rules = self.draft()
        text = request.POST.get("user", "")
        user = simulate.find_user(self.tenant, text) if text.strip() else None
        context: dict[str, Any] = {"text": text, "user_record": user, "policy_name": name}
        if user:
            code = generate.code_of(rules, name=name, version=None)
            factors = simulate.factors_of(self.tenant, user)
            context |= {
                "label": records.label(user),
                "verdicts": simulate.in_every_situation(code, self.tenant, user, factors),
                "held": labels([factor["type"] for factor in factors], last="and"),
            }
        template = "_verdicts.html" if getattr(request, "htmx", False) else "verdicts.html"
        return render(request, f"identity/mfa/{template}", context)


class PreviewEverybody(Draft):
    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        check(self.person, "users.view")
        name, rules = self.draft()
        run = population.request(self.tenant, name, rules, actor=self.person)
        if getattr(request, "htmx", False):
            return render(request, "identity/mfa/_preview_started.html", {"run": run})
        return redirect("identity:policy-preview", tenant, run.pk)


class Preview(PermissionView):
    permission = "mfa.view"

    def get(self, request: HttpRequest, tenant: str, run: int) -> HttpResponse:
        check(self.person, "users.view")
        found = get_object_or_404(Run, pk=run, kind=population.RUN_KIND, tenant=self.tenant)
        rows = population.rows_of(found) or []
        chosen = request.GET.get("change", "")
        counts = found.result.get("changes", {})
        context = {
            "run": found,
            "rows": [row for row in rows if not chosen or row["change"] == chosen],
            "kept": bool(rows),
            "chosen": chosen,
            "changes": [(key, words, counts.get(key, 0)) for key, words in population.CHANGES.items()],
            "kinds": [(words, found.result.get("kinds", {}).get(key, 0)) for key, (words, _) in simulate.KINDS.items()],
            "sentences": policies.sentences(policies.from_json(found.parameters["content"])),
            "most_rows": population.MOST_ROWS,
        }
        template = "_preview.html" if getattr(request, "htmx", False) else "preview.html"
        return render(request, f"identity/mfa/{template}", context)


def mistakes(editor: Editor) -> list[str]:
    """Every mistake of a judged editor as a sentence."""
    found = [
        f"{label}{error}"
        for label, form in [("", editor.form), *((f"Rule {n}: ", f) for n, f in enumerate(editor.rule_forms, start=1))]
        for errors in form.errors.values()
        for error in errors
    ]
    return found + ([editor.problem] if editor.problem else [])
