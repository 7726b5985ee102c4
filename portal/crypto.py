"""Secrets at rest: a model field that is encrypted with the first of ENCRYPTION_KEYS and read with any of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("ENCRYPTION_KEYS must hold Fernet keys: `manage.py make_key` prints one.") from error


def _current_box() -> MultiFernet:
    if not settings.ENCRYPTION_KEYS:
        raise ImproperlyConfigured("Set ENCRYPTION_KEYS before storing secrets: `manage.py make_key` prints one.")
    return _box(tuple(settings.ENCRYPTION_KEYS))


def encrypt(text: str) -> str:
    return _current_box().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    try:
        return _current_box().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "A stored secret can't be read with ENCRYPTION_KEYS: append the key that it was written with."
        ) from error


class EncryptedTextField(models.TextField):
    """Clear text in Python, Fernet in the database. Empty stays empty. Not searchable."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return decrypt(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value
