from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import checks  # noqa: F401  registers the system checks

        # Each app's handlers module registers its kinds of background run.
        autodiscover_modules("handlers")
