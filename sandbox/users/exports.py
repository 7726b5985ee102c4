"""Exports of users: one compressed file of JSON lines or CSV, behind a link that lives for a minute."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import re
import secrets
from collections.abc import Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.errors import ApiError
from sandbox.store import Document
from sandbox.tenant import Tenant
from sandbox.users import job_runs

LINK_SECONDS = 60
MOST_CSV_FIELDS = 30
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_DEFAULT_FIELDS = (
    "user_id",
    "email",
    "email_verified",
    "username",
    "phone_number",
    "phone_verified",
    "name",
    "nickname",
    "given_name",
    "family_name",
    "picture",
    "blocked",
    "created_at",
    "updated_at",
    "last_login",
    "last_ip",
    "logins_count",
)


def check(body: Document) -> None:
    """Raises ApiError 400 for fields or a limit that an export can't have."""
    if body.get("format", "json") not in ("json", "csv"):
        raise ApiError(400, "Payload validation error: 'No enum match' on property format.", "invalid_body")
    limit, chosen = body.get("limit", 1), body.get("fields", [])
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ApiError(400, "Payload validation error: 'Expected a number from 1' on property limit.", "invalid_body")
    if not isinstance(chosen, list) or not all(isinstance(f, dict) and isinstance(f.get("name"), str) for f in chosen):
        raise ApiError(400, "Payload validation error: 'Missing required property: name'.", "invalid_body")
    if body.get("format") == "csv" and len(chosen) > MOST_CSV_FIELDS:
        raise ApiError(400, f"A CSV export can hold at most {MOST_CSV_FIELDS} fields.", "invalid_body")


def start(tenant: Tenant, id: str) -> None:
    async def work() -> None:
        job = job_runs.change(tenant, id, status="processing")
        _files(tenant)[id] = await asyncio.to_thread(content, tenant, job)
        job_runs.change(tenant, id, status="completed", percentage_done=100, time_left_seconds=0)

    job_runs.begin(tenant, id, work)


def _files(tenant: Tenant) -> dict[str, bytes]:
    found: dict[str, bytes] = tenant.memory.setdefault("export_files", {})
    while len(found) >= 10:
        found.pop(next(iter(found)))
    return found


def content(tenant: Tenant, job: Document) -> bytes:
    """The file: gzip of one JSON object per line, or of CSV with a header."""
    wanted = [(f["name"], f.get("export_as") or f["name"]) for f in job.get("fields") or ()]
    wanted = wanted or [(name, name) for name in _DEFAULT_FIELDS]
    rows = (_row(user, wanted) for user in _users(tenant, job))
    text = _csv(rows, [title for _, title in wanted]) if job["format"] == "csv" else _lines(rows)
    return gzip.compress(text, 6)


def _users(tenant: Tenant, job: Document) -> Iterator[Document]:
    left = job.get("limit") or tenant.store.count("users")
    for user in tenant.store.all("users"):
        if job.get("connection") and all(i["connection"] != job["connection"] for i in user["identities"]):
            continue
        if left <= 0:
            return
        left -= 1
        yield user


def _row(user: Document, wanted: list[tuple[str, str]]) -> Document:
    found = ((title, _value(user, name)) for name, title in wanted)
    return {title: value for title, value in found if value is not None}


def _value(user: Document, path: str) -> Any:
    """A path such as user_metadata.consent or identities[0].connection."""
    value: Any = user
    for name, position in _STEP.findall(path):
        if position:
            value = value[int(position)] if isinstance(value, list) and int(position) < len(value) else None
        elif name.startswith("_"):
            return None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _lines(rows: Iterator[Document]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _csv(rows: Iterator[Document], titles: list[str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(titles)
    for row in rows:
        writer.writerow([_cell(row.get(title)) for title in titles])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def link(tenant: Tenant, job: Document) -> str:
    """A fresh link to the file; it works for a minute."""
    links: dict[str, tuple[str, float]] = tenant.memory.setdefault("export_links", {})
    for token in [token for token, (_, ends) in links.items() if ends <= tenant.now()]:
        del links[token]
    token = secrets.token_urlsafe(24)
    links[token] = (job["id"], tenant.now() + LINK_SECONDS)
    return f"{tenant.issuer}exports/{token}/{tenant.name}.{job['format']}.gz"


def routes(tenant: Tenant) -> list[Route]:
    async def download(request: Request) -> Response:
        links: dict[str, tuple[str, float]] = tenant.memory.get("export_links", {})
        id, ends = links.get(request.path_params["token"], ("", 0.0))
        job = tenant.store.get("jobs", id)
        if job is None or ends <= tenant.now():
            return Response("Request has expired", 403, media_type="text/plain")
        file = _files(tenant).get(id)
        return Response(file if file is not None else content(tenant, job), media_type="application/gzip")

    return [Route("/exports/{token}/{name}", download, methods=["GET"])]
