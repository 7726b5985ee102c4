"""Re-encrypt all stored secrets with the first of ENCRYPTION_KEYS."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction

from portal.crypto import EncryptedTextField


class Command(BaseCommand):
    help = "Re-encrypt all stored secrets with the first of ENCRYPTION_KEYS; the other keys can be removed after that."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for model in apps.get_models():
            names = [field.name for field in model._meta.get_fields() if isinstance(field, EncryptedTextField)]
            # Reading decrypts with any key, saving encrypts with the first.
            for row in model._default_manager.all() if names else ():
                row.save(update_fields=names)
                count += 1
        self.stdout.write(f"Re-encrypted the secrets of {count} rows.")
