"""The Django project and the kernel that the apps stand on."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
