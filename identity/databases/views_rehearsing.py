"""Trying the scripts that are live on a local tenant, with users who exist only in their database."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from identity.databases import rehearse
from identity.databases.views import ConnectionView
from portal import auth0
from portal.errors import Invalid


class OneUserForm(forms.Form):
    identifier = forms.CharField(max_length=320, label="E-mail address or username")
    password = forms.CharField(
        max_length=200, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}), label="Password"
    )


class SampleForm(forms.Form):
    users = forms.CharField(
        max_length=40_000, label="Users", strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text="One a line: identifier,password. At most 50. They are used for these sign-ins and kept nowhere.",
    )  # fmt: skip


@method_decorator(sensitive_post_parameters(), name="dispatch")
class Rehearse(ConnectionView):
    permission = "databases.test"

    def get(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        return self.page(OneUserForm(), SampleForm())

    def post(self, request: HttpRequest, tenant: str, connection: str) -> HttpResponse:
        self.look(connection)
        whole = "users" in request.POST
        one, many = OneUserForm(None if whole else request.POST), SampleForm(request.POST if whole else None)
        form: forms.Form = many if whole else one
        if not form.is_valid():
            return self.page(one, many, status=422)
        try:
            users = self.users(form)
        except Invalid as problem:
            form.add_error("users", problem.message)
            return self.page(one, many, status=422)
        attempts = rehearse.sign_in(self.live, users, actor=self.person)
        # The password fields come back empty: Django never renders what was typed there.
        return self.page(one if not whole else OneUserForm(), SampleForm(), attempts=attempts, whole=whole)

    def users(self, form: forms.Form) -> list[tuple[str, str]]:
        given = form.cleaned_data
        return rehearse.sample(given["users"]) if "users" in given else [(given["identifier"], given["password"])]

    def page(
        self,
        one: OneUserForm,
        many: SampleForm,
        *,
        attempts: list[rehearse.Attempt] | None = None,
        whole: bool = False,
        status: int = 200,
    ) -> HttpResponse:
        ready = self.live.content.enabled and "login" in self.live.content.scripts
        return self.show(
            "rehearse", "rehearse-database", status=status,
            one=one, many=many, attempts=attempts, whole=whole, local=auth0.is_local(self.tenant), ready=ready,
            moved=sum(attempt.moved for attempt in attempts or []),
            stuck=[attempt for attempt in attempts or [] if attempt.status != "succeeded"],
        )  # fmt: skip
