"""Bring the demo's database, static files and tenants up to date; `manage.py demo` runs it at each start."""

from __future__ import annotations

import hashlib
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import certifi
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal import auth0, tenants
from portal.demo import CLIENT_ID, HOME_TENANT, TENANTS, Demo, keys, tenants_answer
from portal.errors import PortalError
from portal.models import Stage, Tenant

STAGES = dict(zip(TENANTS, (Stage.DEVELOPMENT, Stage.STAGING, Stage.PRODUCTION), strict=True))
NAMES = {"dev": "Larkspur Development", "staging": "Larkspur Staging", "prod": "Larkspur Production"}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--https-port", type=int, required=True, help="of the first local tenant")
        parser.add_argument("--http-port", type=int, required=True, help="of the first local tenant")

    def handle(self, *args: Any, **options: Any) -> None:
        demo = Demo(Path(settings.STATE_DIR), https_port=options["https_port"], http_port=options["http_port"])
        call_command("migrate", interactive=False, verbosity=1)
        collect_static_files()
        wait_for_tenants(demo)
        demo.bundle.write_text(certifi.contents() + demo.authority.read_text())
        registered = {slug: register(demo, slug) for slug in TENANTS}
        try:
            let_sign_in(registered[HOME_TENANT], settings.PUBLIC_URL)
        except PortalError as error:
            raise CommandError(f"{error.message} `make demo-reset` throws the demo's state away.") from error


def wait_for_tenants(demo: Demo, *, timeout_seconds: float = 50) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not (demo.authority.exists() and tenants_answer(demo)):
        if time.monotonic() > deadline:
            raise CommandError(f"The local tenants did not answer within {timeout_seconds:.0f} seconds.")
        time.sleep(0.05)


def collect_static_files() -> None:
    """collectstatic, unless no file has changed since the last time: compressing them takes seconds."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    found = [(path, storage.path(path)) for finder in get_finders() for path, storage in finder.list([])]
    facts = [f"{path} {(status := Path(file).stat()).st_size} {status.st_mtime_ns}" for path, file in sorted(found)]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest)


def register(demo: Demo, slug: str) -> Tenant:
    """The tenant's row. What a person changed in it stays, except for what must fit the running sandbox."""
    made = keys(demo)
    must = {
        "domain": demo.https(slug).removeprefix("https://"),
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        "ca_bundle": demo.authority.read_text(),
    }
    tenant = Tenant.objects.filter(slug=slug).first() or Tenant(
        slug=slug,
        name=NAMES[slug],
        stage=STAGES[slug],
        position=TENANTS.index(slug),
        protected=slug == HOME_TENANT,
        variables=variables(slug),
    )
    if not tenant.pk or any(getattr(tenant, name) != value for name, value in must.items()):
        for name, value in must.items():
            setattr(tenant, name, value)
        tenants.save(tenant, actor=None)
    return tenant


def variables(slug: str) -> dict[str, str]:
    """What differs per tenant by nature: the addresses of the company's sites. Promotions replace them."""
    host = {"dev": "dev.", "staging": "staging."}.get(slug, "") + "larkspur.example"
    sites = {site.upper(): f"{site}.{host}" for site in ("shop", "office", "partners", "returns", "news", "gifts")}
    return sites | {"APP": f"com.larkspur.outfitters://{host}/"}


def let_sign_in(tenant: Tenant, url: str) -> None:
    """Add the portal's address, whatever its port, to those that the home tenant sends people back to."""
    client = auth0.management(tenant).clients
    known = client.get(CLIENT_ID)
    callback, home = f"{url}/complete/auth0-oidc/", f"{url}/"
    callbacks, homes = known.callbacks or [], known.allowed_logout_urls or []
    if callback not in callbacks or home not in homes:
        client.update(CLIENT_ID, callbacks=_with(callbacks, callback), allowed_logout_urls=_with(homes, home))


def _with(addresses: list[str], address: str) -> list[str]:
    return list(dict.fromkeys([*addresses, address]))
