"""python -m sandbox: local Auth0 tenants on loopback, one HTTPS and one HTTP port each."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from pathlib import Path

from sandbox import serving
from sandbox.serving import LOOPBACK, StartError
from sandbox.tenant import Tenant

EPILOG = """
Tenant number n (from 0) listens on HTTPS_PORT + n and HTTP_PORT + n; both serve everything. Its issuer is
https://localhost:PORT/, its Management API https://localhost:PORT/api/v2/, its control surface and a page with
mail, phones and requests are at /_sandbox/. Clients must trust CA_DIR/ca.pem.

  python -m sandbox
  python -m sandbox --tenants dev,prod --seed demo --state var/sandbox
"""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        serving.raise_file_limit()
        with asyncio.Runner(loop_factory=serving.loop_factory()) as runner:
            return runner.run(_serve(options))
    except StartError as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Local Auth0 tenants: Management API, Authentication API, Universal Login.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--tenants", default="dev,staging,prod", type=_names, metavar="NAMES", help="comma list (dev,staging,prod)")
    add("--https-port", default=9443, type=_port, metavar="PORT", help="of the first tenant (9443)")
    add("--http-port", default=9483, type=_port, metavar="PORT", help="of the first tenant (9483)")
    add("--state", type=Path, metavar="DIR", help="keep all changes there; without it they end with the process")
    add("--ca-dir", type=Path, metavar="DIR", help="certificate authority (STATE/ca, or var/ca without --state)")
    add("--seed", default="factory", metavar="NAME", help="factory, demo, or a JSON FILE from GET /_sandbox/state")
    add("--client-id", metavar="ID", help="machine-to-machine application with every scope (SANDBOX_CLIENT_ID)")
    add("--client-secret", metavar="SECRET", help="its secret; better given as SANDBOX_CLIENT_SECRET")
    add("--host", default=LOOPBACK, metavar="ADDRESS", help="listen elsewhere than on loopback: see docs/sandbox.md")
    add("--password-rounds", default=4, type=_rounds, metavar="N", help="bcrypt work factor of stored passwords (4)")
    return parser.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    bad = [name for name in names if not _NAME.fullmatch(name)]
    if bad:
        raise argparse.ArgumentTypeError(f"{bad[0]!r}: a tenant's name is lower-case letters, digits and dashes")
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError("each tenant needs a name of its own")
    return names


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (1 to 65535)")
    return int(text)


def _rounds(text: str) -> int:
    if not text.isdigit() or not 4 <= int(text) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no bcrypt work factor (4 to 16)")
    return int(text)


async def _serve(options: argparse.Namespace) -> int:
    tenants = serving.tenants(options)
    ca_folder = options.ca_dir or (options.state / "ca" if options.state else Path("var/ca"))
    running = await serving.start(options, tenants, ca_folder)
    await running.started()
    _announce(options, tenants, ca_folder)
    await running.ended()
    return 0


def _announce(options: argparse.Namespace, tenants: list[Tenant], ca_folder: Path) -> None:
    if options.host not in (LOOPBACK, "::1", "localhost"):
        warning = f"sandbox: WARNING: listening on {options.host}: whoever reaches it controls these tenants"
        print(warning, file=sys.stderr)
    print(f"CA certificate {ca_folder / 'ca.pem'}; machine-to-machine client {tenants[0].client_id}")
    for tenant in tenants:
        page = f"{tenant.browser_url}_sandbox/"
        print(f"{tenant.name}: {tenant.issuer} and {tenant.browser_url} ready; mail and phones {page}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
