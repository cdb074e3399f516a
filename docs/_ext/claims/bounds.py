"""The call by which a page states what it measured, and what it holds that against.

Pages write ``from claims import claim`` in a cell tagged ``claim``. The bytes of this file are
part of every page's key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from IPython.display import publish_display_data

from claim_record import ALONE_VARIABLE, MIME, PAGE_VARIABLE, RECORD_VARIABLE, Claim


class ClaimError(AssertionError):
    """A measured value lies outside its bound."""


def claim(name: str, value: Any, statement: str, **held: Any) -> None:
    """Register what a page measured; raise where it lies outside what it is held against.

    Takes the arguments of :func:`measure`.

    Raises
    ------
    ClaimError
        The value is not finite, or outside its bound.

    Examples
    --------
    >>> claim("doc-loss", 0.69315, "The first loss is ln 2", equals=0.6931472, within=1e-4)
    >>> claim("doc-lead", [0.04, 0.06], "One leads the other", at_least=0.02, seeds=[0, 1])
    """
    measured = measure(name, value, statement, **held)
    publish_display_data({MIME: asdict(measured), "text/plain": measured.summary})
    if not measured.holds and not os.environ.get(RECORD_VARIABLE):
        by_seed = f", by seed {[float(f'{v:.4g}') for v in measured.values]}"
        got = f"{measured.value:.6g} {measured.unit}".rstrip()
        raise ClaimError(
            f"{os.environ.get(PAGE_VARIABLE, 'page')}: claim {name!r}: expected "
            f"{measured.bound or 'a finite value'}, got {got}"
            + by_seed * (measured.spread is not None)
            + f": {statement}. Mend the code, or the sentence together with the claim."
        )


def measure(
    name: str,
    value: Any,
    statement: str,
    *,
    at_least: Any = None,
    at_most: Any = None,
    equals: Any = None,
    within: Any = None,
    seeds: Sequence[int] = (),
    show: str = ".3g",
    machine: bool = False,
    reported: Mapping[str, str] | None = None,
) -> Claim:
    """Hold a value against its bounds; whether it is within them, the result tells.

    Parameters
    ----------
    name : str
        How prose refers to the value; unique on the site, written as a literal.
    value : number, brainunit.Quantity, or a sequence of them
        The raw value; a sequence has one entry a seed, and its mean is what is held.
    statement : str
        What is claimed, as a sentence that makes sense without the page around it.
    at_least, at_most : number or brainunit.Quantity, optional
        Bounds on the value or the mean, included.
    equals, within : number or brainunit.Quantity, optional
        Another value, measured or computed, and the largest distance from it.
    seeds : sequence of int
        The seeds behind the value; as many as there are values in a sequence.
    show : str, default ".3g"
        How prose shows the value: a format specification. After a number of digits, ``%``
        multiplies by a hundred, and ``pp`` does so for a difference of shares, in points.
    machine : bool
        The value depends on the machine. Prose then names it, and no bound is allowed, but
        for a ratio on a page with a cell tagged ``alone``, which measures it.
    reported : mapping, optional
        The figure that others report: ``{"cite": key, "text": "86.3 %"}`` and optionally
        ``"note"``, in what it differs from the value.

    Returns
    -------
    Claim
        What is kept of it.

    Raises
    ------
    TypeError, ValueError
        The call itself is wrong.
    """
    entries = _entries(value)
    unit = getattr(entries[0], "unit", None)  # of a brainunit.Quantity
    label = "" if unit is None or unit.is_unitless else str(unit)
    values = [_plain(entry, unit) for entry in entries]
    seeds = [int(seed) for seed in seeds]
    if len(values) > 1 and len(seeds) != len(values):
        raise ValueError(
            f"claim {name!r}: expected a seed for each of {len(values)} values, got {seeds}: pass "
            "`seeds=`, or reduce the values to the one that is claimed"
        )
    if (equals is None) != (within is None):
        raise ValueError(f"claim {name!r}: expected `equals` and `within` together, got one")
    held = not (at_least is at_most is equals is None)
    if machine and held and (label or not os.environ.get(ALONE_VARIABLE)):
        raise ValueError(
            f"claim {name!r}: expected no bound on what depends on the machine; hold a ratio "
            "measured in turns instead, in a cell tagged `alone`"
        )
    mean = float(np.mean(values))
    lowest = [_plain(at_least, unit)] if at_least is not None else []
    highest = [_plain(at_most, unit)] if at_most is not None else []
    bounds = [f"at least {_text(b, None, show, label)}" for b in lowest]
    bounds += [f"at most {_text(b, None, show, label)}" for b in highest]
    if equals is not None:
        center, reach = _plain(equals, unit), _plain(within, unit)
        lowest.append(center - reach)
        highest.append(center + reach)
        distance = _text(reach, None, _show_reach(reach, show), label)
        bounds.append(f"within {distance} of {_text(center, None, show, label)}")
    rooms = [mean - bound for bound in lowest] + [bound - mean for bound in highest]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Claim(
        name=name,
        statement=statement,
        text=_text(mean, spread, show, label),
        value=mean,
        spread=spread,
        values=values,
        seeds=list(seeds),
        unit=label,
        bound=", ".join(bounds),
        room=min(rooms) if rooms else None,
        machine=machine,
        reported=dict(reported or {}),
    )


def _entries(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [entry for part in value for entry in _entries(part)]
    return list(value.reshape(-1)) if getattr(value, "ndim", 0) else [value]


def _plain(value: Any, unit: Any) -> float:
    if isinstance(value, bool | np.bool_):
        raise TypeError("expected a number, got a truth value: claim a count or a distance instead")
    if (unit is None) != (not hasattr(value, "to_decimal")):
        raise TypeError(f"expected value and bounds with one unit, or none; got {value!r}")
    return float(value if unit is None else value.to_decimal(unit))


def _text(mean: float, spread: float | None, show: str, unit: str) -> str:
    for ending, name in (("%", "%"), ("pp", "points")):
        if show.endswith(ending):
            show, unit, mean = show.removesuffix(ending) + "f", name, 100 * mean
            spread = None if spread is None else 100 * spread
    digits = _digits(mean, show)
    if spread is not None:
        digits += f" ± {_digits(spread, show)}"
    return f"{digits} {unit}".rstrip()


def _show_reach(reach: float, show: str) -> str:
    if 0 < reach < 1e-3:
        return ".1e"
    return show if show.endswith(("%", "pp")) else ".2g"


def _digits(value: float, show: str) -> str:
    text = format(value, show)
    if "e" in text:  # 3.0e-05 as 3.0 × 10⁻⁵
        digits, exponent = text.split("e")
        raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{digits} × 10{raised}"
    return text.replace("-", "−")
