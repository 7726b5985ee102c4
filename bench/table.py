"""One line of the table: a figure, what it is compared with, and whether the aim is met."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Aim(Enum):
    """On which side of the other figure ours should be; NONE is told for information."""

    MORE = "at least"
    LESS = "at most"
    NONE = ""


@dataclass(frozen=True)
class Row:
    """`ours` and `other` in the same unit, measured in the same run unless `other` is a fixed limit."""

    HEADER: ClassVar[str] = f"  {'measure':<46}{'ours':>9}{'beside':>9} {'unit':<5}{'ratio':>7}  {'aim':<14}beside"

    name: str
    ours: float
    other: float
    unit: str
    beside: str
    aim: Aim = Aim.MORE

    @property
    def met(self) -> bool:
        if self.aim is Aim.MORE:
            return self.ours >= self.other
        return self.aim is Aim.NONE or self.ours <= self.other

    @property
    def verdict(self) -> str:
        if self.aim is Aim.NONE:
            return "-"
        return f"{'met' if self.met else 'MISSED'} ({'>=' if self.aim is Aim.MORE else '<='} 1)"

    def __str__(self) -> str:
        ratio = f"{self.ours / self.other:.2f}x" if self.other else "-"
        figures = f"{_short(self.ours):>9}{_short(self.other) if self.other else '-':>9} {self.unit:<5}{ratio:>7}"
        return f"  {self.name:<46}{figures}  {self.verdict:<14}{self.beside}"


def most(name: str, ours: float, limit: float, unit: str, beside: str = "the limit") -> Row:
    return Row(name, ours, limit, unit, beside, Aim.LESS)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 0.1 else f"{value:.3f}"
