"""Plots show every seed and the mean, with the axes named."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import trainable_spikes as ts

HISTORIES = [ts.History(loss=[3.0, 2.0, 1.0]), ts.History(loss=[5.0, 2.0, 2.0])]


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def test_history_shows_each_run_and_their_mean_by_epoch_from_one() -> None:
    ax = ts.plot_history(HISTORIES, label="Adam")
    drawn = [tuple(line.get_ydata()) for line in ax.lines]
    assert sorted(drawn) == [(3, 2, 1), (4, 2, 1.5), (5, 2, 2)]
    assert all(tuple(line.get_xdata()) == (1, 2, 3) for line in ax.lines)
    (mean,) = (line for line in ax.lines if line.get_label() == "Adam")
    assert tuple(mean.get_ydata()) == (4, 2, 1.5)
    assert len({line.get_color() for line in ax.lines}) == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_history_of_one_run_is_one_line() -> None:
    ax = ts.plot_history(HISTORIES[:1])
    assert len(ax.lines) == 1


def test_history_draws_into_given_axes_and_other_quantities() -> None:
    _, ax = plt.subplots()
    runs = [ts.History(loss=[1.0], validation_accuracy=[0.75])]
    assert ts.plot_history(runs, "validation_accuracy", ax=ax, color="C3") is ax
    assert ax.get_ylabel() == "validation accuracy"
    assert ax.lines[0].get_ydata() == [0.75]
    assert ax.lines[0].get_color() == "C3"


@pytest.mark.parametrize(
    ("histories", "quantity"),
    [([], "loss"), (HISTORIES, "validation_loss"), (HISTORIES, "no such quantity")],
)
def test_history_without_the_quantity_is_refused(histories: list, quantity: str) -> None:
    with pytest.raises(ValueError, match=f"expected at least one history with '{quantity}'.*fit"):
        ts.plot_history(histories, quantity)


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
