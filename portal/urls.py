from django.conf import settings
from django.urls import include, path

from portal import gallery, views, views_audit, views_tenants

urlpatterns = [
    path("", views.Home.as_view(), name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/begin/", views.begin_sign_in, name="begin-sign-in"),
    path("sign-in/failed/", views.sign_in_failed, name="sign-in-failed"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("account/", views.Account.as_view(), name="account"),
    path("account/password/", views.OwnPassword.as_view(), name="own-password"),
    path("runs/", views.Runs.as_view(), name="runs"),
    path("runs/<int:pk>/", views.RunPage.as_view(), name="run"),
    path("runs/<int:pk>/progress/", views.RunProgress.as_view(), name="run-progress"),
    path("runs/<int:pk>/cancel/", views.CancelRun.as_view(), name="cancel-run"),
    path("audit/", views_audit.Audit.as_view(), name="audit"),
    path("audit/verify/", views_audit.Verify.as_view(), name="verify-audit"),
    path("audit/verdict/", views_audit.Verdict.as_view(), name="audit-verdict"),
    path("audit/<int:pk>/", views_audit.AuditEventPage.as_view(), name="audit-event"),
    path("access/", views.Access.as_view(), name="access"),
    path("tenants/", views_tenants.Tenants.as_view(), name="tenants"),
    path("tenants/add/", views_tenants.AddTenant.as_view(), name="add-tenant"),
    path("tenants/<slug:tenant>/", views_tenants.TenantPage.as_view(), name="tenant"),
    path("tenants/<slug:tenant>/edit/", views_tenants.EditTenant.as_view(), name="edit-tenant"),
    *(
        path(f"tenants/<slug:tenant>/keys/<slug:application>/{act}", view.as_view(), name=name)
        for act, view, name in (
            ("", views_tenants.NewKey, "new-key"),
            ("use/", views_tenants.UseKey, "use-key"),
            ("discard/", views_tenants.DiscardKey, "discard-key"),
        )
    ),
    path("tenants/<slug:tenant>/token/", views_tenants.FreshToken.as_view(), name="fresh-token"),
    path("tenants/<slug:tenant>/plan/", views_tenants.AskForPlan.as_view(), name="ask-for-plan"),
    path("health/", views.health, name="health"),
    path("t/<slug:tenant>/", include("identity.urls")),
    path("", include("deployments.urls")),
    path("", include("social_django.urls", namespace="social")),
]
if settings.DEBUG:
    urlpatterns.append(path("look/", gallery.gallery, name="look"))
handler400 = "portal.views.bad_request"
handler403 = "portal.views.forbidden"
handler404 = "portal.views.not_found"
handler500 = "portal.views.server_error"
