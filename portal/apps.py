from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import checks, tasks  # noqa: F401  registers the system checks, and what the queue carries

        # Each app's handlers module registers its kinds of background run.
        autodiscover_modules("handlers")
