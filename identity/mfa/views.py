"""The list of policies, a policy with its versions, and the editor. A view parses, calls, answers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from identity.mfa import drafts, login_flow, publish
from identity.mfa import policy as policies
from identity.mfa.forms import Editor
from identity.mfa.models import Policy, PolicyVersion, Publication
from portal.access import PermissionView
from portal.errors import PortalError

RECENT = 10
LIVE = Publication.objects.filter(state=Publication.State.LIVE).select_related("tenant")


class Policies(PermissionView):
    permission = "mfa.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        versions = PolicyVersion.objects.prefetch_related(Prefetch("publications", LIVE, "live_in"))
        found = Policy.objects.select_related("updated_by").prefetch_related(Prefetch("versions", versions))
        acts = Publication.objects.filter(tenant=self.tenant).select_related("version", "requested_by", "decided_by")
        rows = [{"policy": policy, **_standing(policy)} for policy in found]
        return render(request, "identity/mfa/policies.html", {"rows": rows, "acts": acts[:RECENT]})


class State(PermissionView):
    """What the tenant runs now: loaded by htmx, so that the list is there when the tenant is slow or refuses."""

    permission = "mfa.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        context: dict[str, Any] = {}
        try:
            live = context["live"] = login_flow.live(self.tenant)
            if live.version:
                settings = login_flow.mfa_settings(self.tenant)
                context["problems"] = settings.problems(policies.from_json(live.version.content))
        except PortalError as error:
            context["error"] = error
        context["unfinished"] = publish.unfinished(self.tenant)
        return render(request, "identity/mfa/_state.html", context)


class PolicyPage(PermissionView):
    permission = "mfa.view"

    def get(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        policy = get_object_or_404(Policy.objects.select_related("updated_by"), pk=pk)
        versions = policy.versions.select_related("author").prefetch_related(Prefetch("publications", LIVE, "live_in"))
        context = {
            "policy": policy,
            "sentences": policies.sentences(policies.from_json(policy.content)),
            "code": drafts.candidate(policy).code,
            "versions": [{"version": one, "url": self.version_url(one), "live_in": one.live_in} for one in versions],
            "here": login_flow.current_publication(self.tenant),
            **_standing(policy),
        }
        return render(request, "identity/mfa/policy.html", context)

    def version_url(self, version: PolicyVersion) -> str:
        return reverse("identity:policy-version", args=[self.tenant.slug, version.policy_id, version.number])


class VersionPage(PermissionView):
    permission = "mfa.view"

    def get(self, request: HttpRequest, tenant: str, pk: int, number: int) -> HttpResponse:
        version = get_object_or_404(PolicyVersion.objects.select_related("author"), policy=pk, number=number)
        before = PolicyVersion.objects.filter(policy=pk, number__lt=number).first()
        context = {
            "version": version,
            "policy": version.policy,
            "sentences": policies.sentences(policies.from_json(version.content)),
            "before": before,
            "difference": drafts.difference(before.code, version.code, name="action.js") if before else "",
            "is_live_here": LIVE.filter(tenant=self.tenant, version=version).exists(),
            "can_roll_back": publish.was_live(self.tenant, version),
            "acts": version.publications.select_related("tenant", "requested_by", "decided_by"),
        }
        return render(request, "identity/mfa/version.html", context)


class EditPolicy(PermissionView):
    permission = "mfa.edit"

    def get(self, request: HttpRequest, tenant: str, pk: int | None = None) -> HttpResponse:
        policy = self.stored(pk)
        return self.show(Editor.of(policy), policy)

    def post(self, request: HttpRequest, tenant: str, pk: int | None = None) -> HttpResponse:
        policy, act = self.stored(pk), request.POST.get("act", "save")
        if act != "save":
            return self.show(Editor.changed(request.POST, act, policy), policy)
        editor = Editor.typed(request.POST, policy)
        if not editor.is_valid():
            return self.show(editor, policy, status=422)
        if policy and policy.revision != editor.form.cleaned_data["revision"]:
            return self.overtaken(editor, policy)
        return self.save(editor, policy)

    def save(self, editor: Editor, policy: Policy | None) -> HttpResponse:
        if policy is None:
            saved = drafts.create(editor.name, editor.rules, actor=self.person)
        else:
            revision = editor.form.cleaned_data["revision"]
            saved = drafts.save(policy, editor.name, editor.rules, revision=revision, actor=self.person)
        messages.success(self.request, f"“{saved.name}” is saved as a draft. No sign-in changes until it is published.")
        for note in editor.notes[:RECENT]:
            messages.info(self.request, note)
        return redirect("identity:policy", self.tenant.slug, saved.pk)

    def overtaken(self, editor: Editor, policy: Policy) -> HttpResponse:
        """Somebody saved first: both are shown, and saving again keeps this one."""
        typed = drafts.as_text(editor.name, policies.to_json(editor.rules))
        difference = drafts.difference(drafts.as_text(policy.name, policy.content), typed)
        data = self.request.POST.copy()
        data["revision"] = str(policy.revision)
        again = Editor.typed(data, policy)
        again.is_valid()
        return self.show(again, policy, status=409, theirs=policy, difference=difference)

    def show(self, editor: Editor, policy: Policy | None, *, status: int = 200, **context: Any) -> HttpResponse:
        context |= {"editor": editor, "policy": policy, "code": drafts.candidate(policy).code if policy else ""}
        return render(self.request, "identity/mfa/editor.html", context, status=status)

    def stored(self, pk: int | None) -> Policy | None:
        return get_object_or_404(Policy.objects.select_related("updated_by"), pk=pk) if pk else None


class NewPolicy(EditPolicy):
    pass


class DeletePolicy(PermissionView):
    permission = "mfa.edit"

    def post(self, request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
        policy = get_object_or_404(Policy, pk=pk)
        drafts.delete(policy, actor=self.person)
        messages.success(request, f"“{policy.name}” is deleted.")
        return redirect("identity:policies", tenant)


def _standing(policy: Policy) -> dict[str, Any]:
    """The newest version, and whether the draft says something else."""
    newest = next(iter(policy.versions.all()), None)
    changed = newest is None or (newest.content, newest.name) != (policy.content, policy.name)
    return {"newest": newest, "changed": changed}
