"""What people typed, on its way into JavaScript."""

from __future__ import annotations

import json
import unicodedata


def quoted(text: str) -> str:
    """Text as a JavaScript string literal that can't end a string, a comment or an HTML element."""
    return harmless(json.dumps(text, ensure_ascii=False)).replace("*/", "*\\u002f")


def harmless(text: str) -> str:
    """Text whose line ends, control and invisible characters, `<`, `>` and `&` are \\u escapes: fit for a comment."""
    return "".join(_escaped(c) if _must_escape(c) else c for c in text)


def _must_escape(character: str) -> bool:
    category = unicodedata.category(character)
    return character in "<>&" or category[0] == "C" or (category[0] == "Z" and character != " ")


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
