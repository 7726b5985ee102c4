"""What comes back from a child, and what is said where nothing does: nothing that tenant code wrote is believed."""

from __future__ import annotations

import json
import secrets
from typing import Any, Literal


class NetworkOpen(RuntimeError):
    """This machine can't close the network for tenant code; the text says what to do."""


class TimedOut(Exception):
    """The child did not answer in time. It must be killed."""


class Crashed(Exception):
    """The child died, or wrote what is no answer. The text says how, without the code's own output."""


class Forged(Crashed):
    """The answer is not what our own part of the child would have written."""

    def __init__(self) -> None:
        super().__init__("The code wrote into the channel of answers.")


def judged(problem: Exception) -> tuple[Literal["refused", "timeout", "crashed"], dict[str, Any]]:
    """(outcome, error) of code that gave no answer."""
    if isinstance(problem, NetworkOpen):
        return "refused", {"name": "Refused", "message": str(problem), "stack": ""}
    if isinstance(problem, TimedOut):
        return "timeout", {
            "name": "TimeoutError",
            "message": "The code did not end in time and was stopped.",
            "stack": "",
        }
    return "crashed", {"name": "CrashError", "message": str(problem), "stack": ""}


def authentic(body: bytes, nonce: str) -> dict[str, Any]:
    """An answer to the request with this nonce, without it. Raises Crashed."""
    answer = decoded(body)
    if not isinstance(answer, dict):
        raise Forged
    if not secrets.compare_digest(str(answer.pop("nonce", "")).encode(), nonce.encode()):
        raise Forged
    return answer


def decoded(body: bytes) -> Any:
    """JSON that nobody has to be afraid of: depth within limits, text that can be encoded. Raises Crashed."""
    try:
        answer = json.loads(body)
        return well_formed(answer) if b"\\ud" in body else answer
    except RecursionError:
        raise Crashed("The code gave back data that is nested too deeply.") from None
    except ValueError:
        raise Forged from None


def well_formed(value: Any) -> Any:
    """JavaScript's text may hold half a character; no other program takes that."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [well_formed(one) for one in value]
    if isinstance(value, dict):
        return {well_formed(name): well_formed(one) for name, one in value.items()}
    return value


def check_shape(answer: dict[str, Any], outcomes: set[str]) -> None:
    """What every answer holds, whatever ran. Raises Forged."""
    error, console = answer.get("error"), answer.get("console")
    sound = answer.get("outcome") in outcomes and isinstance(console, list) and all(isinstance(x, str) for x in console)
    if not sound or not (error is None or is_error(error)):
        raise Forged
    for name in ("duration_ms", "cpu_ms"):
        if not isinstance(answer.setdefault(name, 0.0), int | float):
            raise Forged


def is_error(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("name", "message", "stack"))
