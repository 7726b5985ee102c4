"""Keeps secrets out of logs, audit rows, pages and exception texts: one list of names, one list of shapes."""

from __future__ import annotations

import logging
import re
from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

MASK = "********"
SECRET_NAME = re.compile(
    r"(secret|password|passwd|passphrase|private_?key|signing_key|api_?key|access_key|(access|refresh|id|auth|mfa|bearer)_?token"
    r"|^token$|^ticket$|credential|recovery_code|oob_code|^otp$|^pem$|assertion|^configuration$|^hash$)",
    re.IGNORECASE,
)
# Names that look secret and are not: policies and switches about passwords, ids of credentials.
PLAIN_NAME = re.compile(
    r"(policy|_id$|_at$|_type$|history|complexity|dictionary|no_personal_info|lifetime|_alg$|enabled|requires?|options$|"
    r"change_password$|methods?$|^token_(endpoint|dialect|quota|lifetime|exchange)|reset$)",
    re.IGNORECASE,
)
_SHAPES = (
    re.compile(r"\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*"),
    re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"),
    re.compile(
        r"(?i)((?:client_secret|client_assertion|password|ticket|code|access_token|refresh_token|id_token|mfa_token)=)[^&\s\"']+"
    ),
    re.compile(
        r"(?i)(\"(?:client_secret|password|ticket|access_token|refresh_token|private_key|secret)\"\s*:\s*)\"[^\"]*\""
    ),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
    re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^:/\s@]*:)[^@\s/]+@"),
)


def is_secret(name: str) -> bool:
    return bool(SECRET_NAME.search(name)) and not PLAIN_NAME.search(name)


def mask(value: Any) -> Any:
    """The same data with each value under a secret name replaced; lists and dicts are walked."""
    if isinstance(value, dict):
        return {k: MASK if is_secret(str(k)) and v not in (None, "", [], {}) else mask(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(item) for item in value]
    return clean(value) if isinstance(value, str) else value


def clean(text: str) -> str:
    """Free text with tokens, secrets in query strings or JSON, private keys and credentials in URLs masked."""
    for shape in _SHAPES:
        text = shape.sub(lambda found: (found.group(1) if found.lastindex else "") + MASK, text)
    return text


class ReportFilter(SafeExceptionReporterFilter):
    """For Django's page of an unexpected error (DEBUG): what was sent, and the variables of each frame, masked."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        found = super().cleanse_setting(key, value)
        return clean(found) if isinstance(found, str) else found

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict(mask(super().get_post_parameters(request)))

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> ItemsView[str, Any]:
        found = super().get_traceback_frame_variables(request, tb_frame)
        texts = {name: value.decode(errors="replace") if isinstance(value, bytes) else value for name, value in found}
        return dict(mask(texts)).items()


class LogFilter(logging.Filter):
    """Masks the finished message, and the text of an exception with its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = clean(record.getMessage()), None
        if record.exc_info:
            record.exc_text = clean(logging.Formatter().formatException(record.exc_info))
        return True
