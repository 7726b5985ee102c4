from django.urls import path

from identity.users import views

urlpatterns = [
    path("users/", views.Users.as_view(), name="users"),
    # A user_id may hold a slash, so it comes last.
    path("users/id/<path:user_id>/", views.UserPage.as_view(), name="user"),
    path("users/panel/<slug:panel>/<path:user_id>/", views.PanelView.as_view(), name="user-panel"),
    *(path(f"users/act/{slug}/<path:user_id>/", view, name=slug) for slug, view in views.act_views.items()),
]
