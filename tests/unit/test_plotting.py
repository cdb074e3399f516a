"""Plots show every seed and the mean, with the axes named."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import trainable_spikes as ts


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def test_scores_show_a_dot_a_seed_and_the_mean_from_the_top_down() -> None:
    ax = ts.plot_scores({"mean": [0.5, 0.7], "last": [0.2, 0.4, 0.9]})
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    means = [line for line in ax.lines if line.get_marker() == "|"]
    assert [list(line.get_xdata()) for line in dots] == [[0.5, 0.7], [0.2, 0.4, 0.9]]
    np.testing.assert_allclose([line.get_xdata()[0] for line in means], [0.6, 0.5])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["mean", "last"]
    bottom, top = ax.get_ylim()
    assert bottom > top


@pytest.mark.parametrize("scores", [{}, {"mean": []}])
def test_scores_without_values_are_refused(scores: dict) -> None:
    with pytest.raises(ValueError, match="expected at least one value for every name, got"):
        ts.plot_scores(scores)
