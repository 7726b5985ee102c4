"""One line of the table: a figure, what it is compared with, and whether the aim is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Row:
    """`ours` and `other` in the same unit. The aim is met when ours is on the good side of the other."""

    HEADER: ClassVar[str] = f"  {'':<44}{'ours':>10} {'beside':>10}  {'unit':<6}{'ratio':>7}"

    name: str
    ours: float
    other: float
    unit: str
    beside: str
    more_is_better: bool = True

    @property
    def met(self) -> bool:
        return self.ours >= self.other if self.more_is_better else self.ours <= self.other

    def __str__(self) -> str:
        ratio = self.ours / self.other if self.other else float("inf")
        figures = f"{_short(self.ours):>10} {_short(self.other):>10}  {self.unit:<6}{ratio:>6.2f}x"
        return f"  {self.name:<44}{figures}  {'' if self.met else 'MISSED, '}beside {self.beside}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
