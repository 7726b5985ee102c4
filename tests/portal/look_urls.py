"""The portal's addresses and the gallery of components, which is routed only where DEBUG is on."""

from django.urls import path

from portal.gallery import gallery
from portal.urls import handler400, handler403, handler404, handler500
from portal.urls import urlpatterns as portal_urls

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
urlpatterns = [path("look/", gallery, name="look"), *portal_urls]
