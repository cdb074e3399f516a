"""The session that most contenders share: batches, and functions that work on one of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workloads import DT, Workload


@dataclass
class Session:
    """A contender at work, see :mod:`worker`.

    Attributes
    ----------
    workload : Workload
        Sizes and data.
    convert : callable
        From spikes (uint8) and labels to the pair that the other functions take.
    step : callable
        One training step on a pair; returns the loss, which may still be computing.
    forward : callable
        Scores ``[B, n_out]`` of the converted spikes.
    gradients : callable
        Loss and the gradients of all weights for a pair, as a list of arrays.
    count : callable
        Number of hidden spikes for the converted spikes.
    """

    workload: Workload
    convert: Callable[[np.ndarray, np.ndarray], tuple[Any, Any]]
    step: Callable[[Any, Any], Any]
    forward: Callable[[Any], Any]
    gradients: Callable[[Any, Any], tuple[Any, list[Any]]]
    count: Callable[[Any], Any]
    prepare_seconds: float = 0.0
    batches: list[tuple[Any, Any]] = field(default_factory=list)
    position: int = 0

    def __post_init__(self) -> None:
        self.load(self.workload.batches, self.workload.labels)

    def load(self, batches: Iterable[np.ndarray], labels: Iterable[np.ndarray]) -> None:
        """Replace the batches."""
        self.batches.clear()  # before the new ones are there: two sets may not fit
        started = time.perf_counter()
        self.batches = [self.convert(*pair) for pair in zip(batches, labels, strict=True)]
        self.prepare_seconds = time.perf_counter() - started
        self.position = 0

    def run(self, steps: int) -> float:
        """Take training steps; return the last loss when all are done."""
        loss = None
        for _ in range(steps):
            loss = self.step(*self.batches[self.position])
            self.position = (self.position + 1) % len(self.batches)
        return float(loss)

    def scores(self, spikes: np.ndarray) -> np.ndarray:
        """Scores of a batch."""
        spikes, _ = self.convert(spikes, np.zeros(spikes.shape[1], np.int32))
        return np.asarray(self.forward(spikes))

    def first(self) -> tuple[float, float]:
        """Loss and gradient norm of the first batch."""
        loss, gradients = self.gradients(*self.batches[0])
        return float(loss), norm(gradients)

    def rate(self) -> float:
        """Spikes a second of a hidden neuron on the first batch."""
        return rate(self.workload, float(self.count(self.batches[0][0])))


def norm(gradients: Iterable[Any]) -> float:
    """Euclidean norm of all gradients together."""
    return float(np.sqrt(sum(np.sum(np.asarray(g, np.float64) ** 2) for g in gradients)))


def rate(workload: Workload, spikes: float) -> float:
    """From the number of hidden spikes in a batch to spikes a second of a neuron."""
    return 1000.0 / DT * spikes / (workload.n_steps * workload.batch_size * workload.n_hidden)
