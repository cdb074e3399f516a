"""A claim: a measured value, what its page says of it, and what it is held to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from claims.table import Entry, TableError, bound_for, reported_for
from claims.words import reach_text, value_text
from run.shell.measuring import Measured


@dataclass(frozen=True)
class Claim:
    """One measured statement of a page; numbers are in `unit`, which is empty for plain numbers.

    `name` is that of the entry, with the case of a family in brackets. `value` is the mean where
    there are several seeds, `spread` their standard deviation (n - 1). `room` is the distance from
    the value to the closest bound, negative outside, and None where it is held to nothing.
    """

    name: str
    entry: str
    case: str
    page: str
    statement: str
    text: str
    value: float
    spread: float | None
    values: list[float]
    seeds: list[int]
    unit: str
    bound: str
    room: float | None
    machine: bool = False
    reported: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the value is finite and within its bounds, if it has any."""
        return math.isfinite(self.value) and (self.room is None or self.room >= 0)

    @property
    def summary(self) -> str:
        """A line with value, bound and seeds."""
        line = f"{self.name} = {self.text}"
        if self.bound:
            line += f", {self.bound}"
        if self.seeds:
            line += f"; {len(self.seeds)} seed" + "s" * (len(self.seeds) > 1)
        return line


@dataclass(frozen=True)
class Limits:
    """What a value is held to: the least and the most that it may be, and both in words."""

    lowest: tuple[float, ...] = ()
    highest: tuple[float, ...] = ()
    text: str = ""

    def room(self, value: float) -> float | None:
        """Return the distance from a value to the closest bound, negative outside."""
        rooms = [value - low for low in self.lowest] + [high - value for high in self.highest]
        return min(rooms) if rooms else None


def full_name(name: str, case: str) -> str:
    """Return how prose refers to a value: `name`, or `name[case]` in a family."""
    return f"{name}[{case}]" if case else name


def mean(values: list[float]) -> float:
    """Return the mean over seeds, which is what is held."""
    return float(np.mean(values))


def limits(entry: Entry, case: str, unit: str, value_of: Callable[[str], float | None]) -> Limits:
    """Resolve the bounds of an entry for one case.

    `value_of` gives the value of another name that a bound refers to, or None where there is none.

    Raises
    ------
    TableError
        A bound is in another unit than the value, or refers to a name without a value.
    """
    found: dict[str, float] = {}
    words: dict[str, str] = {}
    for kind in entry.bounds:
        bound = bound_for(entry, kind, case)
        if bound is None:
            continue
        plain_zero = bound.of and not bound.number
        if bound.unit != unit and not plain_zero:
            wanted = f"in {unit}, as it is measured" if unit else "without a unit"
            raise TableError(
                f"expected {kind} {wanted}; got {bound.number:g} {bound.unit}".rstrip()
            )
        found[kind] = bound.number
        text = value_text(bound.number, None, entry.show, unit)
        if bound.of:
            other = value_of(bound.of)
            if other is None:
                raise TableError(f"expected a measured name in {kind}, got {bound.of!r}")
            found[kind] += other
            text = value_text(found[kind], None, entry.show, unit)
            sign = "plus" if bound.number >= 0 else "minus"
            reach = reach_text(abs(bound.number), entry.show, unit)
            text += f" ({bound.of}" + f" {sign} {reach}" * bool(bound.number) + ")"
        words[kind] = text
    if "equals" in found and "within" in found:
        center, reach_ = found["equals"], found["within"]
        text = f"within {reach_text(reach_, entry.show, unit)} of {words['equals']}"
        return Limits((center - reach_,), (center + reach_,), text)
    ends = [("at least", "at_least"), ("at most", "at_most")]
    text = ", ".join(f"{word} {words[kind]}" for word, kind in ends if kind in found)
    lowest = (found["at_least"],) if "at_least" in found else ()
    highest = (found["at_most"],) if "at_most" in found else ()
    return Limits(lowest, highest, text)


def make_claim(entry: Entry, measured: Measured, held: Limits) -> Claim:
    """Join a measured value with what is said of it."""
    value = mean(measured.values)
    spread = float(np.std(measured.values, ddof=1)) if len(measured.values) > 1 else None
    return Claim(
        name=full_name(measured.name, measured.case),
        entry=entry.name,
        case=measured.case,
        page=entry.page,
        statement=entry.says,
        text=value_text(value, spread, entry.show, measured.unit),
        value=value,
        spread=spread,
        values=measured.values,
        seeds=measured.seeds,
        unit=measured.unit,
        bound=held.text,
        room=held.room(value),
        machine=entry.machine,
        reported=reported_for(entry, measured.case),
    )
