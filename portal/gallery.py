"""/look/: every component with sample data, for whoever builds pages. Only where DEBUG is on."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.access import ROLES, permissions_of, public
from portal.models import AuditEvent, Run, Stage, Tenant
from portal.templatetags.look import STATUSES

DIFF = """--- login.js
+++ login.js
@@ -1,5 +1,5 @@
 async function login(email, password, callback) {
-  const query = "SELECT * FROM users WHERE email = '" + email + "'";
+  const query = "SELECT id, email, hash FROM users WHERE email = $1";
   const client = await pool.connect();
-  const result = await client.query(query);
+  const result = await client.query(query, [email]);
 }
"""
CODE = 'exports.onExecutePostLogin = async (event, api) => {\n  api.authentication.enrollWith({ type: "otp" });\n};\n'
NAVIGATION = [
    ("", "Home", "home"),
    ("Tenant", "Users", "users"),
    ("Tenant", "MFA policies", "shield-lock"),
    ("Operations", "Runs", "activity"),
]
CHANGES = [
    {"path": "callbacks", "before": ["https://dev.example/cb"], "after": ["https://app.example/cb"], "kind": "update"},
    {"path": "client_secret", "secret": True},
    {"path": "logo_uri", "before": None, "after": "https://app.example/logo.svg", "kind": "create"},
]
ENTRIES = [
    {"title": "Password-reset mail sent", "actor": "helpdesk@larkspur.example", "icon": "mail", "colour": "blue"},
    {"title": "Wrong password, five times", "text": "from 203.0.113.9", "icon": "lock", "colour": "orange"},
]


class SampleForm(forms.Form):
    name = forms.CharField(max_length=40, help_text="As people will see it.")
    stage = forms.ChoiceField(choices=Stage.choices)
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    factor = forms.ChoiceField(choices=[("otp", "One-time password"), ("push", "Push")], widget=forms.RadioSelect)
    protected = forms.BooleanField(required=False, label="Changes need a second person")


@public
def gallery(request: HttpRequest) -> HttpResponse:
    """`?stage=` chooses the tenant of the page, `?stage=none` shows it without one."""
    user = User(username="ada", first_name="Ada", last_name="Larkspur", email="ada@larkspur.example")
    user._roles = ["helpdesk", "administrator"]  # type: ignore[attr-defined]  # nothing is read from the database
    request.user = user
    return render(request, "portal/gallery.html", {**_frame(request, user), **_samples()})


def _frame(request: HttpRequest, user: User) -> dict[str, Any]:
    stage = request.GET.get("stage", Stage.PRODUCTION)
    tenants = [
        Tenant(
            pk=pk, slug=slug, name=f"Larkspur {slug}", domain=f"{slug}.larkspur.example", stage=one, protected=pk == 3
        )
        for pk, (slug, one) in enumerate(zip(("dev", "staging", "prod"), Stage.values, strict=True), 1)
    ]
    tenant = next((one for one in tenants if one.stage == stage), None)
    navigation = [
        {"group": group, "label": label, "icon": icon, "url": f"/look/?{icon}", "active": label == "Users"}
        for group, label, icon in NAVIGATION
    ]
    return {
        "tenant": tenant,
        "shown_tenant": tenant or tenants[0],
        "tenants": tenants,
        "navigation": navigation,
        "role_labels": [ROLES["helpdesk"][0], ROLES["administrator"][0]],
        "permissions": permissions_of(user) | {"audit.view"},
    }


def _samples() -> dict[str, Any]:
    now = timezone.now()
    run = Run(pk=7, title="Export of Larkspur dev", status=Run.Status.FAILED, created_at=now, finished_at=now)
    run.error = "Auth0 refused: the scope read:clients is missing."
    lines = [("info", "Reading clients"), ("warning", "Waited 2 s for the rate limit"), ("error", "Stopped")]
    return {
        "statuses": list(STATUSES),
        "missing": ["update:users"],
        "sample_form": SampleForm(),
        "dialog_form": SampleForm(auto_id="new-%s"),
        "wrong_form": SampleForm({"name": "", "stage": "moon"}, auto_id="wrong-%s"),
        "page": Paginator(range(137), 10).page(3),
        "event": AuditEvent(pk=12, at=now - timedelta(minutes=3)),
        "run": run,
        "run_events": [SimpleNamespace(at=now, level=level, message=message) for level, message in lines],
        "diff": DIFF,
        "code": CODE,
        "long_ago": now - timedelta(days=40),
        "rows": [
            {"label": "User ID", "value": "auth0|65f1c0ffee", "code": True, "copy": True},
            {"label": "State", "value": "", "status": "blocked"},
            {"label": "Last sign-in", "value": now - timedelta(hours=5), "when": True},
            {"label": "Phone", "value": None},
        ],
        "steps": [
            {"label": "Plan", "state": "done"},
            {"label": "Approve", "state": "current", "hint": "by somebody else"},
            {"label": "Apply", "state": "next"},
        ],
        "tabs": [
            {"label": "Overview", "url": "#1", "active": True, "icon": "user"},
            {"label": "Sessions", "url": "#2", "count": 3, "icon": "devices", "key": "s"},
        ],
        "changes": CHANGES,
        "entries": [{**entry, "at": now - timedelta(hours=hours)} for hours, entry in enumerate(ENTRIES)],
    }
