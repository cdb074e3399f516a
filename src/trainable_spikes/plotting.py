"""Plot the results of training with several seeds; braintools.visualize has rasters and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes


def plot_scores(
    scores: Mapping[str, Sequence[float]], *, ax: Axes | None = None, color: str = "C0"
) -> Axes:
    """Compare results by name, with a dot for each seed and a bar at the mean.

    Parameters
    ----------
    scores : mapping of str to sequence of float
        Values for every name, one per seed.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes by default.
    color : str, default "C0"
        Colour of dots and bars.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the names down the vertical axis in the order given.

    Raises
    ------
    ValueError
        `scores` is empty, or a name has no values.
    """
    if not scores or not all(len(values) for values in scores.values()):
        raise ValueError(f"expected at least one value for every name, got {dict(scores)}")
    ax = ax or plt.subplots(figsize=(6, 0.8 + 0.35 * len(scores)), layout="constrained")[1]
    for row, values in enumerate(scores.values()):
        ax.plot(values, np.full(len(values), row), "o", color=color, alpha=0.5, markersize=5)
        ax.plot(np.mean(values), row, "|", color=color, markersize=18, markeredgewidth=3)
    ax.set_yticks(range(len(scores)), scores.keys())
    ax.set_ylim(len(scores) - 0.5, -0.5)
    return ax
