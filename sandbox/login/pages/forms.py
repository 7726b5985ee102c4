"""The page of a form that an Action shows; the Action goes on in onContinuePostLogin with what was filled in."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.login import flow, forms
from sandbox.login.replies import to_page
from sandbox.login.steps import NeedsPrompt
from sandbox.login.visitor import visitor
from sandbox.login.visits import Visit


async def form(visit: Visit) -> Response:
    """One page per step."""
    transaction, step = visit.transaction, visit.transaction.step
    if not isinstance(step, NeedsPrompt):
        return await flow.proceed(transaction, visit.call)
    document = visit.call.tenant.store.get("forms", step.id) or {}
    pages, filled = forms.steps(document), {**forms.hidden(document), **step.fields}
    for earlier in transaction.form_answers:
        filled |= earlier
    number, error = len(transaction.form_answers), ""
    values: dict[str, Any] = {}
    if number < len(pages):
        shown = forms.fields(pages[number], filled, step.vars)
        if visit.posted:
            values, error = forms.answers(shown, visit.call.parameters)
        if error or not visit.posted:
            shown = forms.fields(pages[number], {**filled, **values}, step.vars)
            title = document.get("name") or "One more step"
            return visit.render("form", 400 if error else 200, title=title, fields=shown, error=error)
        transaction.form_answers.append(values)
    if number + 1 < len(pages):
        return to_page(transaction, flow.FORM_PATH)
    return await _filled_in(visit, step, {**filled, **values})


async def _filled_in(visit: Visit, step: NeedsPrompt, fields: dict[str, Any]) -> Response:
    transaction = visit.transaction
    transaction.form_answers.clear()
    transaction.step = None
    if transaction.login is not None and transaction.pipeline is not None:
        transaction.login.visitor = visitor(visit.call)
        await transaction.pipeline.resume({"id": step.id, "fields": fields, "vars": step.vars})
    return await flow.proceed(transaction, visit.call)


PAGES = [(flow.FORM_PATH, form)]
