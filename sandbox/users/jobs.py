"""/jobs: imports and exports of users, verification e-mails. A job's data live for 24 hours, a link for 60 seconds."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.kinds.limits import entitled
from sandbox.kinds.operations import Call, Reply, operation
from sandbox.store import Document
from sandbox.users import exports, imports, job_runs, mails, records


def _job(call: Call) -> Document:
    job = job_runs.find(call.tenant, call.params["id"])
    if job is None:
        raise ApiError(404, "The job does not exist.", "inexistent_job")
    return job


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
    job = job_runs.create(
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
    active = job_runs.active(call.tenant, "users_import")
    if active >= imports.MOST_ACTIVE:
        raise ApiError(
            429,
            f"There are {active} active import users jobs, please wait until some of them are finished and try again",
            "too_many_active_imports",
        )
    job = job_runs.create(
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
    job = job_runs.create(call.tenant, "verification_email")
    fields = {name: body[name] for name in ("organization_id", "identity") if body.get(name)}
    mails.send_verification(call.tenant, user, client_id=body.get("client_id"), **fields)
    job_runs.change(call.tenant, job["id"], status="completed")
    return job
