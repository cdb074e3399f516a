"""The call by which a page says what it measured.

Pages write ``from measuring import measure`` in a cell tagged ``measure``. What is said of a
number, and what it is held to, stands in the table beside the page. The bytes of this file are
part of every page's key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

MIME = "application/vnd.trainable-spikes.measured+json"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Measured:
    """One measured value, in `unit`; `case` is empty unless it belongs to a family.

    `values` has one entry a seed, or one where no chance is involved. `unit` is empty for plain
    numbers.
    """

    name: str
    case: str
    values: list[float]
    seeds: list[int]
    unit: str


def measure(name: str, value: Any, *, seeds: Sequence[int] = ()) -> None:
    """Publish what a page measured; takes the arguments of :func:`measured`.

    Examples
    --------
    >>> measure("doc-loss", 0.69315)
    >>> measure("doc-lead", [0.04, 0.06], seeds=[0, 1])
    >>> measure("doc-speed", {"small": 1.2, "wide": 0.9})
    """
    from IPython.display import publish_display_data

    found = measured(name, value, seeds=seeds)
    words = "\n".join(f"{each.name} {each.case} {each.values} {each.unit}" for each in found)
    publish_display_data({MIME: [asdict(each) for each in found], "text/plain": words})


def measured(name: str, value: Any, *, seeds: Sequence[int] = ()) -> list[Measured]:
    """Return the values of one measurement as they are recorded, one item for each case.

    Parameters
    ----------
    name : str
        How the table and prose refer to the value; unique on the site, in kebab case.
    value : number, brainunit.Quantity, a sequence of them, or a mapping to any of these
        The raw value. A sequence has one entry a seed. A mapping is a family: one quantity over
        several cases, by their names.
    seeds : sequence of int
        The seeds behind the value, or behind each case; as many as there are values in a sequence.

    Raises
    ------
    TypeError
        The value is a truth value, or its entries differ in their units.
    ValueError
        The name is not in kebab case, a family is empty, or seeds and values differ in number.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"expected a name such as 'silent-rate', got {name!r}")
    if not isinstance(value, Mapping):
        return [_measured(name, "", value, seeds)]
    if not value:
        raise ValueError(f"measure({name!r}): expected at least one case, got an empty mapping")
    return [_measured(name, str(case), each, seeds) for case, each in value.items()]


def _measured(name: str, case: str, value: Any, seeds: Sequence[int]) -> Measured:
    shown = f"{name}[{case}]" if case else name
    entries = list(_entries(value))
    seeds = [int(seed) for seed in seeds]
    if not entries:
        raise ValueError(f"measure({shown!r}): expected a value, got an empty sequence")
    if len(entries) > 1 and len(seeds) != len(entries):
        raise ValueError(
            f"measure({shown!r}): expected a seed for each of {len(entries)} values, got {seeds}: "
            "pass `seeds=`, or reduce the values to the one that counts"
        )
    unit = getattr(entries[0], "unit", None)  # of a brainunit.Quantity
    label = "" if unit is None or unit.is_unitless else str(unit)
    values = [_plain(shown, entry, unit) for entry in entries]
    return Measured(name, case, values, seeds, label)


def _entries(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for part in value:
            yield from _entries(part)
    elif getattr(value, "ndim", 0):
        yield from value.reshape(-1)
    else:
        yield value


def _plain(shown: str, entry: Any, unit: Any) -> float:
    if isinstance(entry, bool) or getattr(getattr(entry, "dtype", None), "kind", "") == "b":
        raise TypeError(
            f"measure({shown!r}): expected a number, got a truth value: measure a count or a "
            "distance instead"
        )
    if (unit is None) != (not hasattr(entry, "to_decimal")):
        raise TypeError(
            f"measure({shown!r}): expected values with one unit, or none; got {entry!r}"
        )
    return float(entry if unit is None else entry.to_decimal(unit))
