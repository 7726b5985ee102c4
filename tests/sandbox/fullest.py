"""The fullest bodies that an endpoint takes, built from the rules by which it checks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.kinds import validation

Place = tuple[str, ...]
SAMPLES = (
    "sample",
    "https://a.example/x",
    "a@b.example",
    "a.example",
    "#a1b2c3",
    "2030-01-01T00:00:00.000Z",
    "192.0.2.1",
    "192.0.2.0/24",
    "2001:db8::1",
    "2001:db8::/32",
    "+15550100",
    "123456789012",
    "A" * 86 + "==",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "org_0123456789abcdef",
    "af_0123456789abcdefghijkm",
    "ac_0123456789abcdefghijkm",
    "cop_0123456789abcdefghijkm",
    "uap_0123456789abcdefghijkm",
    "rol_0123456789abcdef",
    "user.user_metadata.x",
    "US",
    "eu-west-1",
    "sample-sample-sample-sample-sample-sample",
)
MOST_DEEP, MOST_LISTED = 10, 5


def bodies(method: str, path: str, known: Mapping[str, Any], most: int = 40) -> Iterator[Any]:
    """First a body with every property, then one for each further value or form that a property may take; without the
    few that end before what they need, as flows that hold flows. `known`: name of a property -> its value, where not
    any will do; None leaves the property out."""
    rule = validation.endpoint_rule(method, path)["body"]
    points: dict[Place, int] = {}
    yield _Builder({}, points, known).build(rule, ())
    others = [{place: choice} for place, count in points.items() for choice in range(1, count)]
    built = (_Builder(choice, {}, known).build(rule, ()) for choice in others[: most - 1])
    yield from (body for body in built if passes(rule, body))


class _Builder:
    def __init__(self, choices: dict[Place, int], points: dict[Place, int], known: Mapping[str, Any]) -> None:
        self.choices = choices
        self.points = points
        """Place -> how many ways lead on from there; filled while it builds."""
        self.known = known

    def build(self, rule: validation.Rule, place: Place) -> Any:
        rule = validation._resolved(rule)
        if place and place[-1] in self.known:
            return self.known[place[-1]]
        if "e" in rule:
            return self.choose(place, [value for value in rule["e"] if value is not None])
        if "o" in rule:
            forms = [form for form in rule["o"] if validation._resolved(form).get("t") != "null"]
            found = self.build(self.choose((*place, "form"), forms), (*place, "of"))
            return {**self.named(rule, place), **found} if isinstance(found, dict) else found
        kind = self.kind(rule)
        if kind == "object":
            return self.object(rule, place)
        if kind == "array":
            return self.list(rule, place)
        if kind == "boolean":
            return self.choose(place, [True, False])
        if kind == "string":
            return self.text(rule)
        return max(rule.get("lo", 0), min(rule.get("hi", 7), 7))

    def choose(self, place: Place, ways: list[Any]) -> Any:
        self.points[place] = len(ways)
        return ways[self.choices.get(place, 0)]

    def kind(self, rule: validation.Rule) -> str:
        kinds = rule.get("t", "object" if "p" in rule or "l" in rule else "string")
        return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")

    def list(self, rule: validation.Rule, place: Place) -> list[Any]:
        if "i" not in rule or len(place) > MOST_LISTED or rule.get("mi") == 0:
            return []
        values = validation._resolved(rule["i"]).get("e")
        return values[: max(2, rule.get("ni", 0))] if values else [self.build(rule["i"], (*place, "item"))]

    def object(self, rule: validation.Rule, place: Place) -> Any:
        found = {key: value for part in rule.get("l", ()) for key, value in self.build(part, place).items()}
        found |= self.named(rule, place)
        if not found and "a" in rule:
            return {"sample": self.build(rule["a"], (*place, "sample"))}
        return found

    def named(self, rule: validation.Rule, place: Place) -> dict[str, Any]:
        """What is named and has a rule; beside it, what an answer shows may be sent back."""
        names = [name for name, inner in rule.get("p", {}).items() if inner and len(place) < MOST_DEEP]
        if rule.get("xp") == 1 and len(names) > 1:
            names = [self.choose((*place, "name"), names)]
        built = {name: self.build(rule["p"][name], (*place, name)) for name in names}
        return {name: value for name, value in built.items() if value is not None}

    def text(self, rule: validation.Rule) -> str:
        shortened = (sample[: rule.get("m", len(sample))] for sample in SAMPLES)
        return next((sample for sample in shortened if passes(rule, sample)), "sample")


def passes(rule: validation.Rule, value: Any) -> bool:
    try:
        validation.check(rule, value, "", lenient_null=False)
    except validation.Mismatch:
        return False
    return True


def lost(sent: Any, shown: Any, at: str = "") -> Iterator[str]:
    """The places at which something was sent and something else is shown."""
    if isinstance(sent, dict) and isinstance(shown, dict):
        for key, value in sent.items():
            yield from lost(value, shown.get(key), f"{at}.{key}" if at else key)
    elif isinstance(sent, list) and isinstance(shown, list) and len(sent) == len(shown):
        for one, other in zip(sent, shown, strict=True):
            yield from lost(one, other, f"{at}[]")
    elif sent != shown:
        yield at
