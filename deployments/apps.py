from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "deployments"

    def ready(self) -> None:
        from deployments import scopes
        from portal.auth0 import endpoints

        endpoints.add(scopes.endpoints())
