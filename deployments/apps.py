from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "deployments"

    def ready(self) -> None:
        from deployments import scopes
        from portal import scopes as table
        from portal.auth0 import endpoints

        endpoints.add(scopes.endpoints())
        table.add(scopes.features(), scopes.dangerous())
