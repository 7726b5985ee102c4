"""Prove that the audit trail is whole."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import audit


class Command(BaseCommand):
    help = (
        "Walk the hash chain of the audit trail. Exits with 1 at the first entry that was changed, removed or inserted."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count, problem = audit.verify()
        if problem:
            raise CommandError(f"{count} entries are sound. {problem}")
        self.stdout.write(f"All {count} entries are sound.")
