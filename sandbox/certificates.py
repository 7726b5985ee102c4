"""A private certificate authority for the local tenants, kept across starts so that clients need to trust it once."""

from __future__ import annotations

import fcntl
import os
import ssl
from pathlib import Path

_NAMES = ("localhost", "127.0.0.1", "::1")


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS for localhost, signed by the authority in `folder` (ca.pem), which is made where there is none.

    Raises OSError where the folder can't be written, ssl.SSLError where its files are damaged.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all((folder / name).is_file() for name in ("ca.pem", "server.pem")):
            _make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem")
    context.set_alpn_protocols(["http/1.1"])
    return context


def _make(folder: Path) -> None:
    import trustme

    key_path, ca_path = folder / "ca-key.pem", folder / "ca.pem"
    if ca_path.is_file() and key_path.is_file():
        authority = trustme.CA.from_pem(ca_path.read_bytes(), key_path.read_bytes())
    else:
        authority = trustme.CA(organization_name="Local Auth0 tenants", organization_unit_name=f"CA in {folder.name}")
        _write_private(key_path, authority.private_key_pem.bytes())
        _write(ca_path, authority.cert_pem.bytes(), 0o644)
    issued = authority.issue_cert(*_NAMES)
    _write_private(folder / "server.pem", issued.private_key_and_cert_chain_pem.bytes())


def _write_private(path: Path, content: bytes) -> None:
    _write(path, content, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """All or nothing: a killed start must not leave half a certificate."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
