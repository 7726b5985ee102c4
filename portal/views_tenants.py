"""The pages of tenants: registration, access, credentials. A view parses, calls, answers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal import credentials, plans, standing, tenants
from portal.access import PermissionView
from portal.errors import Invalid
from portal.forms import TenantForm
from portal.models import Tenant


class Tenants(PermissionView):
    permission = "tenants.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "portal/tenants.html", {"all_tenants": Tenant.objects.all()})


class TenantPage(PermissionView):
    """What the tenant's applications may do, and its credentials."""

    permission = "tenants.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        context = {
            "standing": standing.of(self.tenant),
            "answers": plans.answers(self.tenant),
            "keys": credentials.keys_of(self.tenant),
        }
        return render(request, "portal/tenant.html", context)


class FreshToken(PermissionView):
    """POST: sign in again now, for scopes that were granted or taken away since the last time."""

    permission = "tenants.view"

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        tenants.sign_in_anew(self.tenant)
        messages.success(request, "Signed in again. This is what is granted now.")
        return redirect(self.tenant)


class AskForPlan(PermissionView):
    """POST: ask the tenant for each feature that plans may lack."""

    permission = "tenants.view"

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        plans.ask(self.tenant)
        return redirect(self.tenant.get_absolute_url() + "#plan")


class NewKey(PermissionView):
    """POST: make a key pair that waits until it is registered with Auth0 and has worked."""

    permission = "tenants.manage"

    def post(self, request: HttpRequest, tenant: str, application: str) -> HttpResponse:
        if application not in credentials.FIELDS:
            raise Http404
        try:
            said = self.act(application)
        except Invalid as error:
            messages.error(request, error.message)
        else:
            messages.success(request, said)
        return redirect(self.tenant.get_absolute_url() + f"#credentials-{application}")

    def act(self, application: str) -> str:
        credentials.generate_key(self.tenant, actor=self.person, application=application)
        return "A new key pair is ready. Register its public key with Auth0, then use it."


class UseKey(NewKey):
    def act(self, application: str) -> str:
        credentials.use_new_key(self.tenant, actor=self.person, application=application)
        return (
            f"{self.tenant.name} is signed in to with the new key from now on. "
            "Remove the credential that it replaces from the application in Auth0."
        )


class DiscardKey(NewKey):
    def act(self, application: str) -> str:
        credentials.discard_new_key(self.tenant, actor=self.person, application=application)
        return "The new key pair is gone. The stored credentials stay in use."


class AddTenant(PermissionView):
    permission = "tenants.manage"

    def form(self, data: Any = None) -> TenantForm:
        return TenantForm(data)

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return render(request, "portal/tenant_form.html", {"form": self.form()})

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return render(request, "portal/tenant_form.html", {"form": form}, status=422)
        try:
            saved = tenants.save(form.save(commit=False), actor=self.person)
        except Invalid as error:
            form.add_error(None, error.message)
            return render(request, "portal/tenant_form.html", {"form": form}, status=422)
        messages.success(request, f"{saved.name} is saved.")
        return redirect(saved)


class EditTenant(AddTenant):
    def form(self, data: Any = None) -> TenantForm:
        return TenantForm(data, instance=self.tenant)
