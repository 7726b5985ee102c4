"""The way through a login in a browser: what comes next, until tokens or an error go to the application."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from sandbox.login import (
    codes,
    configuration,
    consent,
    device_codes,
    factor_paths,
    factors,
    issuing,
    login_events,
    offers,
    organizations,
    pipeline,
    primary_user,
    risk,
    scopes,
    sessions,
)
from sandbox.login.calls import Call
from sandbox.login.issuing import Extras
from sandbox.login.pipeline import Pipeline
from sandbox.login.rendering import error_page, page
from sandbox.login.replies import YEAR_SECONDS, added_to, redirect, to_application, to_page, with_cookie
from sandbox.login.steps import Done, NeedsFactor, NeedsPrompt, NeedsRedirect, Refused, Step
from sandbox.login.subject import Login
from sandbox.login.transactions import Transaction, cookie_name, end
from sandbox.login.visitor import visitor
from sandbox.store import Document
from sandbox.users import memberships, records

FORM_PATH = "/u/form"
_ASKED_FOR = {
    NeedsRedirect: "An Action asks for a redirect",
    NeedsPrompt: "An Action asks for a form",
    NeedsFactor: "Multifactor authentication required",
}


def with_browser(answer: Response, transaction: Transaction) -> Response:
    """Give the browser the cookie that its transactions are bound to."""
    return with_cookie(answer, transaction.tenant, "did", transaction.browser, YEAR_SECONDS)


def first_page(transaction: Transaction) -> Response:
    tenant, hint = transaction.tenant, transaction.parameters.get("screen_hint") or ""
    if organizations.prompt_before_login(transaction) and transaction.client.get("organization_usage") == "require":
        return to_page(transaction, "/u/organization/identifier")
    connection = transaction.connection
    if connection is not None and not configuration.is_database(connection):
        return to_page(transaction, "/u/login/connection", connection=connection["name"])
    if hint.startswith("signup") or "create" in transaction.prompt or transaction.invitation:
        return to_page(transaction, "/u/signup")
    if hint.startswith("reset"):
        return to_page(transaction, "/u/reset-password/request")
    return to_page(transaction, login_path(tenant))


def login_path(tenant: Any) -> str:
    return "/u/login/identifier" if configuration.identifier_first(tenant) else "/u/login"


def new_login(transaction: Transaction, call: Call, user_id: str, connection: Document) -> Login:
    """The login of this user. Actions see the parameters of /authorize, custom ones too, as the request's query."""
    tenant, parameters = transaction.tenant, transaction.parameters
    return Login(
        tenant,
        transaction.client,
        connection,
        user_id,
        replace(visitor(call), query=transaction.query),
        transaction.protocol,
        scopes=transaction.scopes,
        audience=parameters.get("audience", ""),
        organization=transaction.organization,
        transaction=_described(transaction),
        remembered=call.request.cookies.get(cookie_name(tenant, "auth0-mf"), ""),
        device=transaction.browser,
        capabilities=transaction.capabilities,
    )


def _described(transaction: Transaction) -> dict[str, Any]:
    """What event.transaction tells beside protocol and scopes."""
    given = transaction.parameters
    lists = ("acr_values", "ui_locales", "prompt", "response_type")
    found: dict[str, Any] = {name: given.get(name, "").split() for name in lists}
    found |= {name: given[name] for name in ("login_hint", "redirect_uri", "state", "response_mode") if given.get(name)}
    return {**found, "id": transaction.id[:24], "locale": (given.get("ui_locales") or "en").split()[0]}


async def signed_in(
    transaction: Transaction, call: Call, user: Document, connection: Document, method: str
) -> Response:
    """The first factor is passed: start over with this person and go on."""
    transaction.restart()
    login = transaction.login = new_login(transaction, call, user["user_id"], connection)
    transaction.connection = connection
    login.add_method(method)
    transaction.mfa_since = transaction.tenant.now()
    cookie = call.request.cookies.get(cookie_name(transaction.tenant, "auth0"))
    login.replaces = sessions.of_cookie(transaction.tenant, cookie)
    return await proceed(transaction, call)


async def proceed(transaction: Transaction, call: Call) -> Response:
    """Whatever has to happen next in this login."""
    login = transaction.login
    if login is None:
        return first_page(transaction)
    if login.tenant.store.get("users", login.user_id) is None and not login.linked:
        transaction.restart()
        return first_page(transaction)
    if login.user.get("blocked"):
        return refuse(transaction, call, "unauthorized", "user is blocked")
    if transaction.pipeline is None:
        answer = _organization_first(transaction, call, login)
        if answer is not None:
            return answer
        transaction.pipeline = pipeline.start(login)
    transaction.step = await transaction.pipeline.advance()
    return _next(transaction, call, login, transaction.pipeline, transaction.step)


def _organization_first(transaction: Transaction, call: Call, login: Login) -> Response | None:
    tenant = transaction.tenant
    if organizations.prompt_after_login(transaction):
        found = memberships.organizations_of(tenant, login.user_id)
        if len(found) == 1:
            transaction.organization = found[0]
        elif found:
            return to_page(transaction, "/u/organization/picker")
        elif transaction.client.get("organization_usage") == "require":
            return refuse(transaction, call, "access_denied", f"user {login.user_id} is not part of any organization")
    login.organization = transaction.organization
    problem = organizations.membership_problem(transaction, login.user_id, login.connection)
    return refuse(transaction, call, "access_denied", problem) if problem else None


def _next(transaction: Transaction, call: Call, login: Login, running: Pipeline, step: Step) -> Response:
    if isinstance(step, Refused):
        running.save_metadata()
        running.revoke()
        return refuse(transaction, call, step.error, step.description)
    if transaction.silent and not isinstance(step, Done):
        return refuse(transaction, call, "interaction_required", _ASKED_FOR[type(step)])
    if isinstance(step, NeedsRedirect):
        return redirect(added_to(step.url, {"state": transaction.id}))
    if isinstance(step, NeedsPrompt):
        return to_page(transaction, FORM_PATH)
    if isinstance(step, NeedsFactor):
        transaction.mfa_since = transaction.mfa_since or transaction.tenant.now()
        if transaction.capabilities is None and set(step.types) & set(factors.WEBAUTHN):
            return to_page(transaction, factor_paths.DETECTION)
        return to_page(transaction, factor_paths.first(step))
    return _finish_or_ask(transaction, call, login, running, step)


def _finish_or_ask(transaction: Transaction, call: Call, login: Login, running: Pipeline, step: Done) -> Response:
    if transaction.recovery_code:
        return to_page(transaction, factor_paths.ENROLLMENTS["recovery-code"])
    if transaction.enrollment_ticket:
        return _enrolled(transaction)
    transaction.offer = offers.due(transaction, login)
    if transaction.offer:
        return to_page(transaction, transaction.offer)
    if consent.needed(transaction, login):
        if transaction.silent:
            return refuse(transaction, call, "consent_required", "Consent required")
        return to_page(transaction, "/u/consent")
    if transaction.consented:
        consent.remember(login)
    problem = primary_user.switch(login, running.effects)
    if problem:
        return refuse(transaction, call, "access_denied", problem)
    running.save_metadata()
    return _finish(transaction, call, login, running)


def _enrolled(transaction: Transaction) -> Response:
    """The end of an enrolment by ticket: nobody is signed in by it."""
    tenant, id = transaction.tenant, transaction.enrollment_ticket
    tenant.store.put("tickets", id, {**(tenant.store.get("tickets", id) or {"id": id}), "used": True})
    end(transaction)
    return page(
        tenant, "message", title="You're all set!", text="You have successfully added the authentication factor."
    )


def _finish(transaction: Transaction, call: Call, login: Login, running: Pipeline) -> Response:
    if login.fresh_first_factor:
        count_login(login)
    token = sessions.keep(login, running.effects)
    risk.remember_device(login)
    login_events.write(transaction, login, "ssa" if transaction.silent else "s", "")
    end(transaction)
    if transaction.device_code:
        answer = device_codes.approve(transaction, login, running.effects)
    else:
        answer = to_application(transaction, _result(transaction, login, running))
    with_browser(answer, transaction)
    if token is not None:
        persistent = (login.session or {}).get("cookie", {}).get("mode") != "non-persistent"
        whole, _ = configuration.session_lifetimes_seconds(transaction.tenant)
        with_cookie(answer, transaction.tenant, "auth0", token, whole if persistent else None)
    if login.remembered:
        seconds = configuration.remember_browser(transaction.tenant)["mfa_session_overall_timeout"]
        with_cookie(answer, transaction.tenant, "auth0-mf", login.remembered, seconds)
    return answer


def count_login(login: Login) -> None:
    """last_login, last_ip and logins_count of the user."""
    user = login.user
    changes = {
        "last_login": login.tenant.timestamp(),
        "last_ip": login.visitor.ip,
        "logins_count": user.get("logins_count", 0) + 1,
    }
    records.update(login.tenant, login.user_id, changes)


def _result(transaction: Transaction, login: Login, running: Pipeline) -> dict[str, Any]:
    """What the response type asks for."""
    parameters, effects = transaction.parameters, running.effects
    types = parameters["response_type"].split()
    extras = _extras(transaction)
    granted = scopes.granted(login, effects)
    result: dict[str, Any] = {}
    if "code" in types:
        result["code"] = codes.issue(transaction, login, effects, extras)
    if "token" in types:
        result |= issuing.access(login, effects, granted, browser=True)
    if "id_token" in types:
        hashed = Extras(extras.nonce, extras.auth_time, result.get("code", ""), result.get("access_token", ""))
        result["id_token"] = issuing.id_token(login, effects, granted, hashed)
    return result


def _extras(transaction: Transaction) -> Extras:
    asked_anew = bool(transaction.parameters.get("max_age")) or "login" in transaction.prompt
    return Extras(nonce=transaction.parameters.get("nonce", ""), auth_time=asked_anew)


def refuse(transaction: Transaction, call: Call, error: str, description: str) -> Response:
    """The login ends without success; the application hears of it."""
    login = transaction.login
    login_events.write(transaction, login, "fsa" if transaction.silent else "f", description, call)
    end(transaction)
    if transaction.device_code:
        device_codes.reject(transaction)
        answer = error_page(transaction.tenant, 403, error, description)
    else:
        answer = to_application(transaction, {"error": error, "error_description": description})
    return with_browser(answer, transaction)
