"""No secret is ever stored with a snapshot: each becomes a placeholder of its own, which the plan understands."""

from __future__ import annotations

import re
from typing import Any

from deployments import fields
from deployments.kinds import KINDS, Kind
from deployments.project import Content
from portal.redaction import is_secret


def mask(content: Content) -> Content:
    """The content with each secret text replaced by ##KIND_NAME_FIELD##, also where the Deploy CLI does not."""
    return {
        type_: {name: _masked(KINDS[type_], name, thing) for name, thing in things.items()}
        for type_, things in content.items()
    }


def _masked(kind: Kind, name: str, thing: Any) -> Any:
    for path in list(_clear(kind, thing)):
        thing = fields.put(thing, path, placeholder(kind, name, path))
    return thing


def placeholder(kind: Kind, name: str, path: str) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", f"{kind.type} {name} {path}").strip("_").upper()
    return f"##{words}##"


def _clear(kind: Kind, thing: Any) -> list[str]:
    """Paths of texts that are secret: by the table, or by a secret-sounding name in kinds that hold credentials."""
    paths = []
    for path, value in fields.leaves(thing):
        if not isinstance(value, str) or not value:
            continue
        steps = fields.steps(path)
        by_name = kind.holds_secrets and any(is_secret(step) for step in steps[-2:]) and "customScripts" not in steps
        if by_name or fields.any_matches(kind.secrets, path):
            paths.append(path)
    return paths
