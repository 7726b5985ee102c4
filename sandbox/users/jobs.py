"""/jobs: imports and exports of users, verification e-mails. A job's data live for 24 hours, a link for 60 seconds."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.limits import entitled
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.tenant import Tenant, new_id
from sandbox.users import exports, imports, mails, records

KEPT_SECONDS = 86_400
_ACTIVE = ("pending", "processing")


def new_job(tenant: Tenant, type: str, **fields: Any) -> Document:
    id = new_id("job_")
    kept = {name: value for name, value in fields.items() if value is not None}
    job = {"type": type, "status": "pending", "created_at": tenant.timestamp(), "id": id, **kept}
    return tenant.store.put("jobs", id, {**job, "_forgotten_at": tenant.now() + KEPT_SECONDS})


def change(tenant: Tenant, id: str, **fields: Any) -> None:
    job = tenant.store.get("jobs", id)
    if job is not None:
        tenant.store.put("jobs", id, {**job, **fields})


def _job(call: Call) -> Document:
    job = call.store.get("jobs", call.params["id"])
    if job is None or job["_forgotten_at"] <= call.tenant.now():
        raise ApiError(404, "The job does not exist.", "inexistent_job")
    if job["status"] in _ACTIVE and job["id"] not in running(call.tenant):
        # The process that ran it was killed.
        change(call.tenant, job["id"], status="failed", status_details="The job was interrupted. Start it again.")
        job = call.store.get("jobs", job["id"]) or job
    return job


def running(tenant: Tenant) -> dict[str, Any]:
    """id -> task of the jobs that run in this process."""
    found: dict[str, Any] = tenant.memory.setdefault("running_jobs", {})
    return found


@operation("GET", "/jobs/{id}")
def read_job(call: Call) -> Document:
    job = _job(call)
    if job["type"] == "users_export" and job["status"] == "completed":
        return {**job, "location": exports.link(call.tenant, job)}
    return job


@operation("GET", "/jobs/{id}/errors")
def read_errors(call: Call) -> Any:
    job = _job(call)
    if job["status"] == "failed":
        return job
    return job.get("_errors") or Reply(204)


def _connection(call: Call, id: Any) -> Document:
    connection = call.store.get("connections", id) if isinstance(id, str) else None
    if connection is None:
        raise ApiError(400, "The connection does not exist.", "inexistent_connection")
    return connection


@operation("POST", "/jobs/users-exports")
def export_users(call: Call) -> Reply:
    body = call.body or {}
    entitled(call, "user export jobs")
    exports.check(body)
    connection = _connection(call, body["connection_id"]) if body.get("connection_id") else None
    job = new_job(
        call.tenant,
        "users_export",
        connection_id=body.get("connection_id"),
        connection=connection["name"] if connection else None,
        format=body.get("format", "json"),
        limit=body.get("limit"),
        fields=body.get("fields"),
    )
    exports.start(call.tenant, job["id"])
    return Reply(200, job)


@operation("POST", "/jobs/users-imports", form=True)
async def import_users(call: Call) -> Reply:
    upload = await imports.read(call.request)
    connection = _connection(call, upload.connection_id)
    if connection["strategy"] != "auth0":
        raise ApiError(400, "Users can be imported into database connections only.", "operation_not_supported")
    active = [id for id in running(call.tenant) if (call.store.get("jobs", id) or {}).get("type") == "users_import"]
    if len(active) >= imports.MOST_ACTIVE:
        raise ApiError(
            429,
            f"There are {len(active)} active import users jobs, please wait until some of them are finished and try "
            "again",
            "too_many_active_imports",
        )
    job = new_job(
        call.tenant,
        "users_import",
        connection_id=connection["id"],
        connection=connection["name"],
        external_id=upload.external_id,
    )
    imports.start(call.tenant, job["id"], connection["name"], upload)
    return Reply(202, job)


@operation("POST", "/jobs/verification-email")
def verification_email(call: Call) -> Document:
    body = call.body or {}
    user = records.get(call.tenant, str(body.get("user_id")))
    if body.get("client_id") and call.store.get("clients", body["client_id"]) is None:
        raise ApiError(404, "The client does not exist.", "inexistent_client")
    identity = body.get("identity")
    if identity and not any(
        (i["provider"], str(i["user_id"])) == (identity.get("provider"), str(identity.get("user_id")))
        for i in user["identities"]
    ):
        raise ApiError(400, "The specified identity does not belong to the user.", "invalid_body")
    if not user.get("email"):
        raise ApiError(400, "The user does not have an email address.", "operation_not_supported")
    job = new_job(call.tenant, "verification_email")
    fields = {name: body[name] for name in ("organization_id", "identity") if body.get(name)}
    mails.send_verification(call.tenant, user, client_id=body.get("client_id"), **fields)
    change(call.tenant, job["id"], status="completed")
    return job
