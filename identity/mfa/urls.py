from django.urls import path

from identity.mfa import decisions, previews, publications, views

urlpatterns = [
    path("mfa-policies/", views.Policies.as_view(), name="policies"),
    path("mfa-policies/state/", views.State.as_view(), name="policy-state"),
    path("mfa-policies/new/", views.NewPolicy.as_view(), name="new-policy"),
    path("mfa-policies/code/", previews.Code.as_view(), name="policy-code"),
    path("mfa-policies/preview/", previews.PreviewUser.as_view(), name="preview-policy"),
    path("mfa-policies/previews/", previews.PreviewEverybody.as_view(), name="preview-policy-for-all"),
    path("mfa-policies/previews/<int:run>/", previews.Preview.as_view(), name="policy-preview"),
    path("mfa-policies/remove/", publications.Remove.as_view(), name="remove-policy"),
    path("mfa-policies/publications/<int:pk>/", decisions.PublicationPage.as_view(), name="publication"),
    path("mfa-policies/publications/<int:pk>/result/", decisions.Result.as_view(), name="publication-result"),
    *(
        path(
            f"mfa-policies/publications/<int:pk>/{act}/",
            decisions.Decide.as_view(),
            {"act": act},
            name=f"{act}-publication",
        )
        for act in ("approve", "refuse", "withdraw")
    ),
    path("mfa-policies/<int:pk>/", views.PolicyPage.as_view(), name="policy"),
    path("mfa-policies/<int:pk>/edit/", views.EditPolicy.as_view(), name="edit-policy"),
    path("mfa-policies/<int:pk>/delete/", views.DeletePolicy.as_view(), name="delete-policy"),
    path("mfa-policies/<int:pk>/publish/", publications.Publish.as_view(), name="publish-policy"),
    path("mfa-policies/<int:pk>/versions/<int:number>/", views.VersionPage.as_view(), name="policy-version"),
    path(
        "mfa-policies/<int:pk>/versions/<int:number>/publish/",
        publications.PublishVersion.as_view(),
        name="publish-policy-version",
    ),
    path(
        "mfa-policies/<int:pk>/versions/<int:number>/roll-back/",
        publications.RollBack.as_view(),
        name="roll-back-policy",
    ),
]
