from django.urls import path

from identity.databases import views, views_publishing, views_rehearsing, views_testing, views_writing

urlpatterns = [
    path("databases/", views.Databases.as_view(), name="databases"),
    path("databases/publications/<int:pk>/", views_publishing.Publication.as_view(), name="database-publication"),
    path(
        "databases/publications/<int:pk>/result/",
        views_publishing.Result.as_view(),
        name="database-publication-result",
    ),
    *(
        path(
            f"databases/publications/<int:pk>/{act}/",
            views_publishing.Decide.as_view(),
            {"act": act},
            name=f"{act}-database-publication",
        )
        for act in ("approve", "refuse", "withdraw")
    ),
    path("databases/<str:connection>/", views.Database.as_view(), name="database"),
    path("databases/<str:connection>/compare/", views.Compare.as_view(), name="compare-database"),
    path("databases/<str:connection>/import/", views.TakeOver.as_view(), name="import-database"),
    path("databases/<str:connection>/edit/", views_writing.Edit.as_view(), name="edit-database"),
    path("databases/<str:connection>/findings/", views_writing.Findings.as_view(), name="database-findings"),
    path("databases/<str:connection>/generate/", views_writing.Generate.as_view(), name="generate-database"),
    path("databases/<str:connection>/settings/", views_writing.Settings.as_view(), name="database-settings"),
    path("databases/<str:connection>/tests/", views_testing.Tests.as_view(), name="database-tests"),
    path("databases/<str:connection>/tests/<int:pk>/", views_testing.Test.as_view(), name="database-test"),
    path(
        "databases/<str:connection>/tests/<int:pk>/result/",
        views_testing.TestResult.as_view(),
        name="database-test-result",
    ),
    path("databases/<str:connection>/checklist/", views_testing.Checklist.as_view(), name="database-checklist"),
    *(
        path(
            f"databases/<str:connection>/checklist.{kind}",
            views_testing.ChecklistDocument.as_view(),
            {"kind": kind},
            name=f"database-checklist-{kind}",
        )
        for kind in ("md", "html")
    ),
    path("databases/<str:connection>/publish/", views_publishing.Publish.as_view(), name="publish-database"),
    path("databases/<str:connection>/rehearse/", views_rehearsing.Rehearse.as_view(), name="rehearse-database"),
    path(
        "databases/<str:connection>/rehearsals/<int:pk>/",
        views_rehearsing.Rehearsal.as_view(),
        name="database-rehearsal",
    ),
    path(
        "databases/<str:connection>/rehearsals/<int:pk>/result/",
        views_rehearsing.RehearsalResult.as_view(),
        name="database-rehearsal-result",
    ),
    path(
        "databases/<str:connection>/rehearsals/<int:pk>/could-not-move.csv",
        views_rehearsing.WhoCouldNot.as_view(),
        name="database-rehearsal-csv",
    ),
    path(
        "databases/<str:connection>/rehearsals/<int:pk>/put-back/",
        views_rehearsing.PutBack.as_view(),
        name="put-database-back",
    ),
    path("databases/<str:connection>/versions/<int:number>/", views.Version.as_view(), name="database-version"),
    path(
        "databases/<str:connection>/versions/<int:number>/take/",
        views.TakeOver.as_view(),
        name="take-database-version",
    ),
    path(
        "databases/<str:connection>/versions/<int:number>/roll-back/",
        views_publishing.RollBack.as_view(),
        name="roll-back-database",
    ),
]
