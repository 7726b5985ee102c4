"""/activate: a person types the code that a device shows; and enrolment by the link of a ticket."""

from __future__ import annotations

from typing import Any

from sandbox.login import device_codes, factors, flow, password_reset
from sandbox.login.calls import Answer, Call
from sandbox.login.pipeline import Pipeline
from sandbox.login.rendering import page
from sandbox.login.replies import with_cookie
from sandbox.login.subject import Login
from sandbox.login.transactions import begin
from sandbox.login.visitor import visitor
from sandbox.users import records

# Not to begin with.
_LATER = factors.DEPENDENT


async def activate(call: Call) -> Answer:
    """The code starts a login; when it ends well, the device gets its tokens."""
    typed = str(call.parameters.get("user_code") or call.request.query_params.get("user_code") or "")[:40]
    if call.request.method != "POST":
        return page(call.tenant, "device", user_code=typed)
    code = device_codes.by_user_code(call.tenant, typed)
    if code is None:
        call.log("fdeac", None, description="Invalid or expired user code")
        return page(call.tenant, "device", 400, user_code=typed, error="The code you entered is not valid.")
    parameters = {"scope": code.scope, "audience": code.audience, "response_type": "code", "redirect_uri": ""}
    transaction = begin(call, code.client, parameters, "oauth2-device-code")
    transaction.device_code = code.device_code
    return flow.with_browser(flow.first_page(transaction), transaction)


async def enrollment(call: Call) -> Answer:
    """/u/mfa-enrollment: the link of an enrollment ticket leads through enrolling one factor."""
    tenant = call.tenant
    ticket = password_reset.usable_ticket(tenant, call.request.query_params.get("ticket"), "enrollment")
    if ticket is None:
        return page(tenant, "message", 400, title="Link expired", text="This link has expired or was used already.")
    user = records.get(tenant, ticket["user_id"])
    wanted = factors.known(ticket.get("factor"))
    types = [type for type in factors.enrollable(tenant, user) if type == wanted or not (wanted or type in _LATER)]
    if factors.independent(tenant, user) and not ticket.get("allow_multiple_enrollments"):
        text = "You are enrolled in a factor already, and this link does not allow another one."
        return page(tenant, "message", 400, title="Nothing to enroll", text=text)
    if not types:
        return page(tenant, "message", 400, title="Nothing to enroll", text="There is no factor left to enroll in.")
    client: dict[str, Any] = {"client_id": "", "name": tenant.name}
    transaction = begin(call, client, {"redirect_uri": "", "response_type": "code"}, "oidc-basic-profile")
    login = Login(
        tenant,
        client,
        records.connection_named(tenant, user["identities"][0]["connection"]),
        user["user_id"],
        visitor(call),
        "oidc-basic-profile",
    )
    transaction.login, transaction.mfa_since = login, tenant.now()
    transaction.enrollment_ticket = ticket["id"]
    transaction.pipeline = Pipeline(login, [], enrolls_in=types)
    return with_cookie(await flow.proceed(transaction, call), tenant, "did", transaction.browser)


OPEN_PAGES = [("/activate", activate), ("/u/mfa-enrollment", enrollment)]
