"""The kernel's pages. A view parses, calls, answers."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import requires_csrf_token
from social_django.views import auth as social_auth

from portal import account, audit, runs
from portal.access import PERMISSIONS, ROLES, PermissionView, public, roles_of
from portal.errors import PortalError
from portal.login import Auth0, sign_out_url
from portal.models import Run, Tenant

PER_PAGE = 50


class Home(PermissionView):
    permission = None

    def get(self, request: HttpRequest) -> HttpResponse:
        if not roles_of(request.user):
            return redirect("account")
        waiting = runs.waiting_for(self.person)
        recent = Run.objects.filter(requested_by=self.person)[:8]
        return render(request, "portal/home.html", {"recent_runs": recent, "waiting": waiting})


@public
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("home")
    ready = bool(settings.SOCIAL_AUTH_AUTH0_OIDC_DOMAIN)
    return render(request, "portal/sign_in.html", {"following": request.GET.get("next", ""), "ready": ready})


@public
def begin_sign_in(request: HttpRequest) -> HttpResponse:
    """POST: off to Auth0's login, and from there back to `next`."""
    answer = social_auth(request, Auth0.name)
    return _leave(request, answer.url) if isinstance(answer, HttpResponseRedirect) else answer


@public
def sign_in_failed(request: HttpRequest) -> HttpResponse:
    """Where social-auth sends a refused or broken sign-in, with its sentence as a message."""
    return render(request, "portal/sign_in_failed.html", status=403)


class SignOut(PermissionView):
    permission = None

    def post(self, request: HttpRequest) -> HttpResponse:
        """End the session of the portal, then that of Auth0."""
        url = sign_out_url(request)
        logout(request)
        return _leave(request, url)


def _leave(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to another site after a form was sent.

    A redirect would not do: our Content-Security-Policy forbids forms to other sites, and browsers apply that to each
    address that the redirects lead to, a company's own identity provider behind Auth0 included.
    """
    return render(request, "portal/leaving.html", {"url": url})


class Account(PermissionView):
    permission = None

    def get(self, request: HttpRequest) -> HttpResponse:
        home, problem = None, None
        try:
            home = account.password_home(self.person)
        except PortalError as error:
            problem = error
        return render(request, "portal/account.html", {"home": home, "problem": problem})


class OwnPassword(PermissionView):
    permission = None

    def post(self, request: HttpRequest) -> HttpResponse:
        account.change_own_password(self.person)
        messages.success(request, f"A mail with a link to change your password is on its way to {self.person.email}.")
        return redirect("account")


class Runs(PermissionView):
    permission = "runs.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = Run.objects.select_related("tenant", "requested_by")
        if status := request.GET.get("status", ""):
            found = found.filter(status=status)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        return render(request, "portal/runs.html", {"page": page, "status": status, "statuses": Run.Status.choices})


class RunPage(PermissionView):
    permission = "runs.view"
    template = "portal/run.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(Run.objects.select_related("tenant", "requested_by"), pk=pk)
        context = {"run": run, "events": run.events.all(), "page_url": runs.page_of(run)}
        return render(request, self.template, context)


class RunProgress(RunPage):
    """The part of the run's page that htmx polls until the run has ended."""

    template = "components/_run_progress.html"


class CancelRun(PermissionView):
    permission = "runs.cancel"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(Run, pk=pk)
        with audit.recorded(self.person, "runs.cancel", tenant=run.tenant, target=str(run.pk), target_label=run.title):
            runs.cancel(run, actor=self.person)
        messages.info(request, "Asked the run to stop.")
        return redirect(run)


class Access(PermissionView):
    permission = "access.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = [(name, text, [name in held for _, held in ROLES.values()]) for name, text in PERMISSIONS.items()]
        return render(request, "portal/access.html", {"roles": [label for label, _ in ROLES.values()], "rows": rows})


@public
def health(request: HttpRequest) -> HttpResponse:
    """200 where this process can read its database: for load balancers."""
    return JsonResponse({"status": "ok", "tenants": Tenant.objects.count()})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "errors/500.html", status=500)
