"""From measured blocks to what the record says; no measuring here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

FOREIGN_LIMIT = 0.10  # share of all cores that others may use during a block


def foreign_share(busy: float, own: float, seconds: float, cores: int) -> float:
    """Share of the machine's cores that other processes used.

    Parameters
    ----------
    busy : float
        Core-seconds that all processes used, by the system's counters.
    own : float
        Core-seconds that the worker and its parent used, by their own clocks.
    seconds : float
        Time by the wall clock.
    cores : int
        Cores of the machine.
    """
    return max(0.0, busy - own) / (cores * seconds)


def is_quiet(share: float, limit: float = FOREIGN_LIMIT) -> bool:
    """Whether a block counts: others used at most a tenth of the cores."""
    return share <= limit


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """First quartile, median and third quartile."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)


def paired_ratios(
    times: Mapping[int, float], reference: Mapping[int, float]
) -> tuple[float, float, float] | None:
    """Quartiles of the time over the reference's in the same round, or None without any.

    Parameters
    ----------
    times, reference : dict of int to float
        Step time by round; a round whose block was left out is missing.
    """
    shared = sorted(times.keys() & reference.keys())
    return quartiles([times[i] / reference[i] for i in shared]) if shared else None


def log_log_slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope of log y over log x by least squares, and its standard error.

    The error is nan where fewer than three points leave none.
    """
    a, b = np.log(x), np.log(y)
    centred = a - a.mean()
    slope = float(np.sum(centred * b) / np.sum(centred**2))
    if len(a) < 3:
        return slope, float("nan")
    rest = b - b.mean() - slope * centred
    error = np.sqrt(np.sum(rest**2) / (len(a) - 2) / np.sum(centred**2))
    return slope, float(error)


def block_steps(step_seconds: float, granule: int, target: float) -> int:
    """Steps that take about `target` seconds, a multiple of `granule` and at least one."""
    return granule * max(1, round(target / (step_seconds * granule)))
