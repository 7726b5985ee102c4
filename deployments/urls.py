from django.urls import URLPattern, path

from deployments import views

app_name = "deployments"
urlpatterns: list[URLPattern] = [
    path("t/<slug:tenant>/snapshots/", views.Snapshots.as_view(), name="snapshots"),
    path("t/<slug:tenant>/snapshots/export/", views.Export.as_view(), name="export"),
    path("t/<slug:tenant>/snapshots/upload/", views.Upload.as_view(), name="upload"),
    path("t/<slug:tenant>/snapshots/<int:pk>/", views.SnapshotPage.as_view(), name="snapshot"),
    path("t/<slug:tenant>/snapshots/<int:pk>/object/", views.SnapshotObjectPage.as_view(), name="object"),
    path("t/<slug:tenant>/snapshots/<int:pk>/download/", views.Download.as_view(), name="download"),
    path("compare/", views.Compare.as_view(), name="compare"),
    path("promotions/", views.Promotions.as_view(), name="promotions"),
    path("promotions/new/", views.NewPromotion.as_view(), name="new-promotion"),
    path("promotions/<int:pk>/", views.PromotionPage.as_view(), name="promotion"),
    path("promotions/<int:pk>/secrets/", views.EnterSecrets.as_view(), name="enter-secrets"),
    path("promotions/<int:pk>/request/", views.RequestApproval.as_view(), name="request-approval"),
    path("promotions/<int:pk>/approve/", views.Approve.as_view(), name="approve"),
    path("promotions/<int:pk>/refuse/", views.Refuse.as_view(), name="refuse"),
    path("promotions/<int:pk>/withdraw/", views.Withdraw.as_view(), name="withdraw"),
    path("promotions/<int:pk>/apply/", views.Start.as_view(), name="start"),
    path("promotions/<int:pk>/roll-back/", views.RollBack.as_view(), name="roll-back"),
]
