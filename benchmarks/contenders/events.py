"""This package's fast path for sparse input: lists of events, whole passes in a call."""

from __future__ import annotations

import time
from collections.abc import Iterable

import brainstate
import braintools
import jax
import jax.numpy as jnp
import numpy as np

import ours
import trainable_spikes as ts
from session import norm, rate
from trainable_spikes.events import EventClassifier, event_lists, whole_trial
from trainer_session import TrainerSession
from workloads import LEARNING_RATE, Workload

DIFFERENCE = (
    "It reads the weights of inputs that spike instead of multiplying by zeros, and adds in "
    "another order. It shuffles the samples of its batches anew in each pass."
)
LIBRARIES = ours.LIBRARIES
GRANULE = True


class EventSession(TrainerSession):
    """A trainer at work on lists of events, see :mod:`worker`."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.slots = 0  # of the longest list so far
        self.network = ours.network(workload)
        self.fast = EventClassifier(self.network, workload.n_steps)
        self.trainer = ts.Trainer(
            self.fast, braintools.optim.Adam(lr=LEARNING_RATE), encode=whole_trial
        )
        self.load(workload.batches, workload.labels)

    def load(self, batches: Iterable[np.ndarray], labels: Iterable[np.ndarray]) -> None:
        """Replace the batches by others: one data set of lists of events."""
        started = time.perf_counter()
        # Batch by batch: all spikes of a large data set at once would not fit.
        lists = [event_lists(spikes.swapaxes(0, 1)) for spikes in batches]
        # In steps of 64 and never less than before: lists of another length compile anew.
        longest = max(rows.shape[1] for rows in lists)
        self.slots = max(-(-longest // 64) * 64, self.slots)
        past_end = self.workload.n_steps * self.workload.n_in
        rows = np.concatenate(
            [
                np.pad(rows, ((0, 0), (0, self.slots - rows.shape[1])), constant_values=past_end)
                for rows in lists
            ]
        )
        self.data = ts.Dataset(jnp.asarray(rows), jnp.asarray(np.concatenate(list(labels))))
        jax.block_until_ready((self.data.inputs, self.data.targets))
        self.prepare_seconds = time.perf_counter() - started

    def scores(self, spikes: np.ndarray) -> np.ndarray:
        """Scores of a batch."""
        rows = event_lists(spikes.swapaxes(0, 1))
        return self.trainer.evaluate(ts.Dataset(rows, np.zeros(len(rows), np.int32))).scores

    def first(self) -> tuple[float, float]:
        """Loss and gradient norm of the first batch."""
        size = self.workload.batch_size

        def loss(rows: jax.Array, labels: jax.Array) -> jax.Array:
            return ts.cross_entropy(self.fast.update(rows), labels).mean()

        gradient = brainstate.transform.grad(loss, self.trainer.weights, return_value=True)
        grads, value = brainstate.transform.jit(gradient)(
            self.data.inputs[:size], self.data.targets[:size]
        )
        return float(value), norm(ours.arrays(grads))

    def rate(self) -> float:
        """Spikes a second of a hidden neuron on the first batch."""
        first = next(iter(self.workload.batches))
        count = ours.count_spikes(self.network)
        return rate(self.workload, float(count(jnp.asarray(first, jnp.float32))))


def build(workload: Workload) -> EventSession:
    """Make the session, see :mod:`worker`."""
    return EventSession(workload)
