"""Checks of what users hand in; each error says what was expected, what came, what to do."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import brainstate
import brainunit as u


def time_step() -> u.Quantity:
    """Return the environment's time step, or explain how to set one.

    Returns
    -------
    brainunit.Quantity
        The time step ``dt``, a positive time.

    Raises
    ------
    RuntimeError
        No ``dt`` is set.
    TypeError
        ``dt`` is not a time: it has no unit, or another one.
    ValueError
        ``dt`` is not positive.
    """
    dt = brainstate.environ.get("dt", None)
    if dt is None:
        raise RuntimeError(
            "expected a time step in the environment, found none: call "
            "`brainstate.environ.set(dt=1. * u.ms)` first, or work inside "
            "`with brainstate.environ.context(dt=1. * u.ms):`"
        )
    quantity("dt", dt, u.ms, "brainstate.environ.set(dt=1. * u.ms)")
    if float(dt.to_decimal(u.ms)) <= 0:
        raise ValueError(f"expected a positive time step dt, got {dt}: set dt=1. * u.ms, say")
    return dt


def quantity(name: str, value: Any, unit: u.Unit, example: str) -> None:
    """Raise a ``TypeError`` unless `value` can be expressed in `unit`."""
    if not isinstance(value, u.Quantity):
        raise TypeError(
            f"expected {name} with a unit such as {unit}, got {value!r} without one: "
            f"write `{example}`"
        )
    if value.dim != unit.dim:  # any multiple of the unit will do
        raise TypeError(f"expected {name} in a unit such as {unit}, got {value}: write `{example}`")


def positive_integer(name: str, value: Any) -> None:
    """Raise a ``ValueError`` unless `value` is an integer above zero."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"expected {name} to be an integer of at least 1, got {value!r}")


def step_probability(name: str, rate: Any) -> float:
    """Return the chance of a spike in one step at a firing rate, ``rate * dt``.

    Raises
    ------
    TypeError
        `rate` is not a frequency.
    ValueError
        It is negative, or asks for more than one spike a step.
    """
    quantity(name, rate, u.Hz, f"{name}=5. * u.Hz")
    dt = time_step()
    probability = float(rate.to_decimal(u.Hz)) * float(dt.to_decimal(u.second))
    if not 0 <= probability <= 1:
        raise ValueError(
            f"expected 0 <= {name} * dt <= 1, got {rate} * {dt} = {probability:g}: a step holds "
            f"at most one spike, so lower {name} or dt"
        )
    return probability
