from django.urls import URLPattern, path

from deployments.views import promotions, snapshots

app_name = "deployments"
urlpatterns: list[URLPattern] = [
    path("t/<slug:tenant>/snapshots/", snapshots.Snapshots.as_view(), name="snapshots"),
    path("t/<slug:tenant>/snapshots/export/", snapshots.Export.as_view(), name="export"),
    path("t/<slug:tenant>/snapshots/upload/", snapshots.Upload.as_view(), name="upload"),
    path("t/<slug:tenant>/snapshots/<int:pk>/", snapshots.SnapshotPage.as_view(), name="snapshot"),
    path("t/<slug:tenant>/snapshots/<int:pk>/object/", snapshots.SnapshotObjectPage.as_view(), name="object"),
    path("t/<slug:tenant>/snapshots/<int:pk>/download/", snapshots.Download.as_view(), name="download"),
    path("compare/", snapshots.Compare.as_view(), name="compare"),
    path("promotions/", promotions.Promotions.as_view(), name="promotions"),
    path("promotions/new/", promotions.NewPromotion.as_view(), name="new-promotion"),
    path("promotions/<int:pk>/", promotions.PromotionPage.as_view(), name="promotion"),
    path("promotions/<int:pk>/secrets/", promotions.EnterSecrets.as_view(), name="enter-secrets"),
    path("promotions/<int:pk>/request/", promotions.RequestApproval.as_view(), name="request-approval"),
    path("promotions/<int:pk>/approve/", promotions.Approve.as_view(), name="approve"),
    path("promotions/<int:pk>/refuse/", promotions.Refuse.as_view(), name="refuse"),
    path("promotions/<int:pk>/withdraw/", promotions.Withdraw.as_view(), name="withdraw"),
    path("promotions/<int:pk>/apply/", promotions.Start.as_view(), name="start"),
    path("promotions/<int:pk>/roll-back/", promotions.RollBack.as_view(), name="roll-back"),
]
