"""Checks of what users hand in; each error says what was expected, what came, what to do."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import brainstate
import brainunit as u


def time_step() -> u.Quantity:
    """Return the environment's time step ``dt``, or raise with how to set one."""
    dt = brainstate.environ.get("dt", None)
    if dt is None:
        raise RuntimeError(
            "expected a time step in the environment, found none: call "
            "`brainstate.environ.set(dt=1. * u.ms)` first, or work inside "
            "`with brainstate.environ.context(dt=1. * u.ms):`"
        )
    positive_quantity("dt", dt, u.ms, "brainstate.environ.set(dt=1. * u.ms)")
    return dt


def quantity(name: str, value: Any, unit: u.Unit, example: str) -> None:
    """Raise a ``TypeError`` unless `value` can be expressed in `unit`, as `example` is."""
    if not isinstance(value, u.Quantity):
        raise TypeError(
            f"expected {name} with a unit such as {unit}, got {value!r} without one: "
            f"write `{example}`"
        )
    if value.dim != unit.dim:  # any multiple of the unit will do
        raise TypeError(f"expected {name} in a unit such as {unit}, got {value}: write `{example}`")


def positive_quantity(name: str, value: Any, unit: u.Unit, example: str) -> None:
    """Raise as :func:`quantity` does, and a ``ValueError`` unless `value` is above zero."""
    quantity(name, value, unit, example)
    if not float(value.to_decimal(unit)) > 0:
        raise ValueError(f"expected {name} above zero, got {value}: write `{example}`, say")


def positive_integer(name: str, value: Any) -> None:
    """Raise a ``ValueError`` unless `value` is an integer above zero."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"expected {name} to be an integer of at least 1, got {value!r}")


def step_probability(name: str, rate: Any) -> float:
    """Return the chance of a spike in one step, ``rate * dt``; raise where it is none."""
    quantity(name, rate, u.Hz, f"{name}=5. * u.Hz")
    dt = time_step()
    probability = float(rate.to_decimal(u.Hz)) * float(dt.to_decimal(u.second))
    if not 0 <= probability <= 1:
        raise ValueError(
            f"expected 0 <= {name} * dt <= 1, got {rate} * {dt} = {probability:g}: a step holds "
            f"at most one spike, so lower {name} or dt"
        )
    return probability
