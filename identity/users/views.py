"""Search, the user page with its panels, and the acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from identity.users import diagnosis, forms, records, search
from identity.users.verbs import VERBS, Outcome, Verb
from portal.access import PermissionView
from portal.errors import Conflict, PortalError, Unknown
from portal.models import AuditEvent

REMEMBER_FORM_SECONDS = 24 * 3600
UNDER_WAY = "under way"


class Users(PermissionView):
    permission = "users.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        text, filters = request.GET.get("q", ""), tuple(request.GET.getlist("filter"))
        page = request.GET.get("page", "1")
        found = search.find(self.tenant, text, filters=filters, page=int(page) - 1 if page.isdigit() else 0)
        if found.exact and len(found.users) == 1:
            return redirect("identity:user", tenant, found.users[0]["user_id"])
        return render(request, "identity/users/search.html", self.context(text, filters, found))

    def context(self, text: str, filters: tuple[str, ...], found: search.Found) -> dict[str, Any]:
        return {"q": text, "chosen": filters, "filters": search.FILTERS, "found": found, "cap": search.CAP}


class UserPage(PermissionView):
    permission = "users.view"

    def get(self, request: HttpRequest, tenant: str, user_id: str) -> HttpResponse:
        user = records.read(self.tenant, user_id)
        return render(request, "identity/users/user.html", self.context(user))

    def context(self, user: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "user_record": user,
            "label": records.label(user),
            "standing": diagnosis.standing(user),
            "obstacles": diagnosis.from_record(user),
            "offers": [(verb, forms.blank(verb)) for verb in VERBS.values() if self.offers(verb, user)],
            "panels": records.PANELS,
            "done": self.done(user),
            **more,
        }

    def offers(self, verb: Verb, user: dict[str, Any]) -> bool:
        return self.person.has_perm(verb.permission) and verb.fits(user)

    def done(self, user: dict[str, Any]) -> dict[str, Any] | None:
        """The result that the redirect after an act brings along: own, and of this user alone."""
        pk = self.request.GET.get("done", "")
        event = AuditEvent.objects.filter(
            pk=int(pk) if pk.isdigit() else 0, actor_id=self.person.pk, target=user["user_id"]
        ).first()
        said = cache.get(f"outcome:{event.pk}") if event else None
        return {"event": event, **said} if said else None


class PanelView(PermissionView):
    """One panel, loaded by htmx. Its failure is its content: the rest of the page stands."""

    permission = "users.view"

    def get(self, request: HttpRequest, tenant: str, panel: str, user_id: str) -> HttpResponse:
        if panel not in records.PANELS:
            raise Http404
        context: dict[str, Any] = {"panel": records.PANELS[panel], "name": panel, "user_id": user_id, "verbs": VERBS}
        try:
            context |= records.PANELS[panel].load(self.tenant, user_id)
        except PortalError as error:
            context["error"] = error
        return render(request, f"identity/users/panels/{panel}.html", context)


class Act(UserPage):
    """One verb: GET asks (for a browser without JavaScript, and after a mistake), POST does."""

    verb: Verb = next(iter(VERBS.values()))  # as_view gives each address its own
    permission = ""

    def get(self, request: HttpRequest, tenant: str, user_id: str) -> HttpResponse:
        form = forms.blank(self.verb)
        form.initial["method"] = request.GET.get("method", "")
        return self.ask(user_id, form)

    def post(self, request: HttpRequest, tenant: str, user_id: str) -> HttpResponse:
        form = forms.form_class(self.verb)(request.POST, auto_id=f"{self.verb.slug}-%s")
        if not form.is_valid():
            return self.ask(user_id, form, status=422)
        given = form.cleaned_data
        sent = f"form:{given.pop('once')}"
        # The first post of a form goes through; a second press of its button does not act twice.
        if not cache.add(sent, UNDER_WAY, timeout=REMEMBER_FORM_SECONDS):
            return self.sent_before(user_id, cache.get(sent))
        with self.free_again(sent):
            outcome = self.verb.act(self.tenant, user_id, actor=self.person, **given)
        cache.set(sent, outcome.event.pk, timeout=REMEMBER_FORM_SECONDS)
        return self.answer(user_id, outcome)

    def ask(self, user_id: str, form: forms.ActForm, status: int = 200) -> HttpResponse:
        user = records.read(self.tenant, user_id)
        context = {"user_record": user, "label": records.label(user), "verb": self.verb, "form": form}
        return render(self.request, "identity/users/act.html", context, status=status)

    @contextmanager
    def free_again(self, sent: str) -> Iterator[None]:
        """An act that was surely not done frees the form, so that "try again" works."""
        try:
            yield
        except Unknown:
            raise
        except PortalError:
            cache.delete(sent)
            raise

    def sent_before(self, user_id: str, known: int | str | None) -> HttpResponse:
        """The result of the first time. Raises Conflict while that is under way, or where its answer was lost."""
        if not isinstance(known, int):
            raise Conflict(f"“{self.verb.label}” was already sent with this form. Look at the user to see its result.")
        messages.info(self.request, "This form was sent before, so nothing was done twice. To do it again, begin anew.")
        return self.result(user_id, known)

    def result(self, user_id: str, event: int) -> HttpResponse:
        return redirect(reverse("identity:user", args=[self.tenant.slug, user_id]) + f"?done={event}")

    def answer(self, user_id: str, outcome: Outcome) -> HttpResponse:
        said = {"happened": outcome.happened, "next": outcome.next}
        if outcome.secret:
            # Shown in this one answer: not in a URL, a session, a cache or the trail.
            done = {"event": outcome.event, **said, "secret": outcome.secret}
            user = records.read(self.tenant, user_id)
            return render(self.request, "identity/users/user.html", self.context(user) | {"done": done})
        cache.set(f"outcome:{outcome.event.pk}", said, timeout=REMEMBER_FORM_SECONDS)
        return self.result(user_id, outcome.event.pk)


act_views = {slug: never_cache(Act.as_view(verb=verb, permission=verb.permission)) for slug, verb in VERBS.items()}
