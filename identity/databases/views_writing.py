"""Writing scripts: the editor with the linter beside it, generation from the short form, and settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from identity.databases import checks, generate, lint, scripts
from identity.databases.forms import SETTING_NAME, EditorForm, SettingForm, StoreForm, names_of, stored
from identity.databases.scripts import Content
from identity.databases.views import ConnectionView
from portal.access import check
from portal.errors import Conflict, Invalid


class Edit(ConnectionView):
    """The scripts. Reading needs databases.view, saving databases.edit."""

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        form = EditorForm.of(self.working, self.draft.revision if self.draft else 0)
        return self.page(form if self.person.has_perm("databases.edit") else form.only_to_read(), self.working)

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        check(request.user, "databases.edit")
        self.look(connection)
        form = EditorForm(request.POST, names=names_of(self.working))
        if not form.is_valid():
            return self.page(form, self.working, status=422)
        content, act = form.content, request.POST.get("act", "save")
        if act.startswith("fix:"):
            try:
                content = self.fixed(content, act)
            except Invalid as problem:
                form.add_error(None, problem.message)
                return self.page(form, content, status=422)
        revision = form.cleaned_data["revision"]
        base = None if self.draft else self.live.content.sha256
        try:
            scripts.save(
                self.tenant, self.place, content, revision=revision, actor=self.person, base_sha256=base
            )  # fmt: skip
        except Conflict:
            return self.overtaken(content)
        what = "The fix is made, and everything is" if act.startswith("fix:") else "Everything is"
        messages.success(request, f"{what} saved in the working copy. Nothing was written to {self.tenant}.")
        shown = request.POST.get("script", "")
        return redirect(self.url("edit-database") + (f"#script-{shown}" if shown in form.names else ""))

    def fixed(self, content: Content, act: str) -> Content:
        """`act` names one finding: fix:script:rule:line:column. Raises Invalid where the text has moved on since."""
        found = {_fix_name(one): one for one in checks.findings(self.live, content) if one.fix}
        finding = found.get(act)
        if finding is None or finding.script is None:
            raise Invalid("This finding is not there any more: the script has changed. Look at the new findings.")
        mended = lint.apply_fixes(content.scripts[finding.script], [finding])
        return replace(content, scripts={**content.scripts, finding.script: mended})

    def overtaken(self, content: Content) -> HttpResponse:
        """Somebody saved first: both are shown, and saving again keeps this one."""
        self.draft = scripts.draft_of(self.tenant, self.live.id)
        theirs = self.working
        revision = self.draft.revision if self.draft else 0
        difference = scripts.difference(theirs, content)
        form = EditorForm.of(content, revision)
        return self.page(form, content, status=409, theirs=self.draft, difference=difference)

    def page(self, form: EditorForm, content: Content, *, status: int = 200, **context: Any) -> HttpResponse:
        context |= {"form": form, **_findings(self.live, content), "expected": content.expected}
        return self.show("editor", "edit-database", status=status, **context)


class Findings(ConnectionView):
    """The linter's word on what is being typed: htmx asks after each pause. Nothing is saved."""

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        form = EditorForm(request.POST, names=names_of(self.working))
        if not form.is_valid():
            raise Invalid("Reload the page: the form is not whole.")
        context = {"live": self.live, **_findings(self.live, form.content)}
        return render(request, "identity/databases/_findings.html", context)


class Generate(ConnectionView):
    """From the short form: first the difference to the working copy, then the scripts."""

    permission = "databases.edit"

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        initial = StoreForm.initial_of(scripts.form_of(self.draft, self.live.name, self.working))
        initial = initial or {"import_mode": self.live.content.import_mode}
        return self.page(StoreForm(connection=self.live.name, initial=initial))

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        form = StoreForm(request.POST, connection=self.live.name)
        if not form.is_valid():
            return self.page(form, status=422)
        made = Content(True, form.filled.import_mode, generate.scripts(form.filled))
        if request.POST.get("act") != "take":
            return self.page(form, made=made, difference=scripts.difference(self.working, made))
        revision = request.POST.get("revision", "0")
        scripts.save(
            self.tenant, self.place, made, revision=int(revision) if revision.isdigit() else 0, actor=self.person,
            store_form=stored(form.filled), base_sha256=self.live.content.sha256,
        )  # fmt: skip
        names = ", ".join(generate.configuration_keys(form.filled))
        messages.success(request, f"The scripts are in the working copy. They read {names}: see Settings.")
        return redirect(self.url("edit-database"))

    def page(self, form: StoreForm, *, status: int = 200, **context: Any) -> HttpResponse:
        context |= {"form": form, "revision": self.draft.revision if self.draft else 0}
        if "made" in context:
            context["keys"] = generate.configuration_keys(form.filled)
        return self.show("generate", "", status=status, **context)


@method_decorator(sensitive_post_parameters("value"), name="dispatch")
class Settings(ConnectionView):
    """Names of the scripts' settings; values go in and never come out."""

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        name = request.GET.get("name", "")
        return self.page(SettingForm(initial={"name": name if SETTING_NAME.fullmatch(name) else ""}))

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        check(request.user, "databases.edit")
        self.look(connection)
        if name := request.POST.get("remove", "")[:100]:
            checks.remove_setting(self.live, name, actor=self.person)
            messages.success(request, f"{name} is taken away with the next publication.")
            return redirect(self.url("database-settings"))
        if name := request.POST.get("keep", "")[:100]:
            checks.keep_after_all(self.live, name, actor=self.person)
            messages.success(request, f"{name} stays.")
            return redirect(self.url("database-settings"))
        form = SettingForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        given = form.cleaned_data
        checks.keep_setting(self.live, given["name"], given["value"], actor=self.person)
        messages.success(request, f"{given['name']} is stored. {self.tenant} gets it with the next publication.")
        return redirect(self.url("database-settings"))

    def page(self, form: SettingForm, status: int = 200) -> HttpResponse:
        return self.show("settings", "database-settings", status=status, form=form, rows=self.rows())

    def rows(self) -> list[dict[str, Any]]:
        ours = {one.name: one for one in checks.settings_of(self.tenant, self.live.id)}
        live = set(self.live.configuration_keys)
        wanted = {
            finding.message.split(" ")[0].removeprefix("configuration.")
            for finding in checks.findings(self.live, self.working)
            if finding.rule == "CDB20" and finding.script
        }
        return [
            {"name": name, "ours": ours.get(name), "in_tenant": name in live, "missing": name in wanted}
            for name in sorted({*ours, *live, *wanted})
        ]


def _findings(live: Any, content: Content) -> dict[str, Any]:
    """For _findings.html: what has to be mended, notes apart; each group is one rule in one script."""
    found = checks.findings(live, content)
    to_mend = [one for one in found if one.level != "info"]
    notes = [one for one in found if one.level == "info"]
    return {
        "groups": _groups(to_mend), "notes": _groups(notes), "lint_status": checks.lint_status(found),
        "number": lint.counted(found),
    }  # fmt: skip


def _groups(found: list[lint.Finding]) -> list[dict[str, Any]]:
    """Each group's findings with the names of their fixes, and how many places there are besides the first."""
    return [
        {
            "rows": [{"finding": one, "act": _fix_name(one) if one.fix else ""} for one in group],
            "others": sum(1 + one.more for one in group) - 1,
            "hidden": sum(one.more for one in group),
        }
        for group in lint.grouped(found)
    ]


def _fix_name(finding: lint.Finding) -> str:
    return f"fix:{finding.script}:{finding.rule}:{finding.line}:{finding.column}"
