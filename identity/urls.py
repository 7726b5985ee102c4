"""The pages about one tenant's people; mounted below /t/<tenant>/."""

from django.urls import URLPattern, URLResolver

from identity.databases import urls as databases
from identity.mfa import urls as mfa
from identity.users import urls as users

app_name = "identity"
urlpatterns: list[URLPattern | URLResolver] = [
    *users.urlpatterns,
    *mfa.urlpatterns,
    *databases.urlpatterns,
]
