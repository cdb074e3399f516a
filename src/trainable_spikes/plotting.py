"""Draw what training over several seeds gives; for rasters and more see braintools.visualize.

Both functions show every seed, not only a mean: spread is part of a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from trainable_spikes.training import History


def plot_history(
    histories: Sequence[History], quantity: str = "loss", *, ax: Axes | None = None, **line: Any
) -> Axes:
    """Draw one quantity by epoch: a thin line a run, a thick one for their mean.

    Parameters
    ----------
    histories : sequence of History
        One a seed, all of the same length.
    quantity : {"loss", "accuracy", "validation_loss", "validation_accuracy"}
        Which list of the history to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes by default.
    **line
        Passed to ``Axes.plot``, such as ``color`` and ``label``.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, labelled.

    Raises
    ------
    ValueError
        There is no history, or none of that quantity.
    """
    runs = [getattr(history, quantity, None) for history in histories]
    if not runs or not all(runs):
        raise ValueError(
            f"expected at least one history with {quantity!r}, got {len(runs)} without it: "
            "fit first, with validation data if you draw a validation quantity"
        )
    if ax is None:
        ax = plt.subplots(layout="constrained")[1]
    values = np.array(runs)
    epochs = np.arange(1, values.shape[1] + 1)
    (mean,) = ax.plot(epochs, values.mean(axis=0), linewidth=2, **line)
    if len(values) > 1:
        ax.plot(epochs, values.T, linewidth=0.6, alpha=0.5, color=mean.get_color())
    ax.set(xlabel="epoch", ylabel=quantity.replace("_", " "))
    return ax


def plot_scores(
    scores: Mapping[str, Sequence[float]], *, ax: Axes | None = None, color: str = "C0"
) -> Axes:
    """Compare results by name: a dot a seed, a bar at their mean.

    Parameters
    ----------
    scores : mapping of str to sequence of float
        One value a seed for every name.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes by default.
    color : str
        Colour of dots and bars.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; names run down the vertical axis in the order given.

    Raises
    ------
    ValueError
        There is nothing to draw.
    """
    if not scores or not all(len(values) for values in scores.values()):
        raise ValueError(f"expected at least one value for every name, got {dict(scores)}")
    if ax is None:
        height = 0.8 + 0.35 * len(scores)
        ax = plt.subplots(figsize=(6, height), layout="constrained")[1]
    for row, values in enumerate(scores.values()):
        ax.plot(values, np.full(len(values), row), "o", color=color, alpha=0.5, markersize=5)
        ax.plot(np.mean(values), row, "|", color=color, markersize=18, markeredgewidth=3)
    ax.set_yticks(range(len(scores)), scores.keys())
    ax.set_ylim(len(scores) - 0.5, -0.5)
    return ax
