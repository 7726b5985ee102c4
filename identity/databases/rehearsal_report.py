"""What became of each person of a rehearsal, and the list of those whom somebody has to look at."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from identity.databases.models import DatabaseRehearsal

# outcome -> (status of the pages, its words)
OUTCOMES = {
    "moved": ("succeeded", "Moved"),
    "had_moved": ("succeeded", "Had moved before"),
    "signed_in": ("succeeded", "Signed in"),
    "duplicate": ("warning", "Duplicate id"),
    "unknown_hash": ("failed", "Unknown hash"),
    "wrong_password": ("failed", "Wrong password"),
    "unknown_user": ("failed", "Unknown user"),
    "failed": ("failed", "Failed"),
    "waiting": ("skipped", "Not tried"),
}
LATER = {"signed_in": ("succeeded", "Signs in"), "failed": ("failed", "Can't sign in")}
WORDS = {
    "moved": "The tenant's own store has the password's hash now.",
    "had_moved": "The tenant's own store checked the password; login was not asked.",
    "signed_in": "login knows this user; the scripts stay in charge.",
    "wrong_password": "login knows this user, and says that the password is another one.",
    "unknown_user": "login finds nobody of this name.",
    "unknown_hash": "login finds this user and can't read the stored hash: no password will do.",
}


@dataclass(frozen=True)
class Row:
    """What became of one person. outcome: a key of OUTCOMES.

    later: how the sign-in without import mode went, a key of LATER; "" where there was none.
    """

    identifier: str
    outcome: str = "waiting"
    words: str = ""
    user_id: str = ""
    later: str = ""
    later_words: str = ""

    @property
    def moved(self) -> bool:
        return self.outcome in ("moved", "had_moved")

    @property
    def stuck(self) -> bool:
        """Somebody has to look at this person before the migration."""
        return not self.moved or self.later == "failed"

    @property
    def badge(self) -> tuple[str, str]:
        return OUTCOMES[self.outcome]

    @property
    def later_badge(self) -> tuple[str, str]:
        return LATER.get(self.later, ("", ""))


def rows_of(rehearsal: DatabaseRehearsal) -> list[Row]:
    return [Row(**one) for one in rehearsal.report]


def as_csv(rows: Iterable[Row]) -> str:
    """Who could not move, and why; a spreadsheet reads nothing in it as a formula."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["user", "result", "why", "user_id", "without import mode", "why not"])
    for row in rows:
        cells = (row.identifier, row.badge[1], row.words, row.user_id, row.later_badge[1], row.later_words)
        table.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in cells])
    return text.getvalue()
