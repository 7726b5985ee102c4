"""The pages of tenants: registration, access, credentials. A view parses, calls, answers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal import tenants
from portal.access import PermissionView
from portal.errors import Invalid
from portal.forms import TenantForm
from portal.models import Tenant


class Tenants(PermissionView):
    permission = "tenants.view"

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "portal/tenants.html", {"all_tenants": Tenant.objects.all()})


class TenantPage(PermissionView):
    permission = "tenants.view"

    def get(self, request: HttpRequest, tenant: str) -> HttpResponse:
        context = {"state": tenants.state(self.tenant), "public_key": tenants.public_key(self.tenant)}
        if "plan" in request.GET:
            context["plan_features"] = tenants.plan_features(self.tenant)
        return render(request, "portal/tenant.html", context)


class NewKey(PermissionView):
    permission = "tenants.manage"

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        tenants.generate_key(self.tenant, actor=self.person)
        messages.success(request, "A new key pair is ready. Register its public key with Auth0, then use it.")
        return redirect(self.tenant)


class UseKey(PermissionView):
    permission = "tenants.manage"

    def post(self, request: HttpRequest, tenant: str) -> HttpResponse:
        tenants.use_new_key(self.tenant, actor=self.person)
        messages.success(request, f"{self.tenant.name} is signed in to with the new key from now on.")
        return redirect(self.tenant)


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
