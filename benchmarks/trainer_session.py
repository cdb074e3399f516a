"""Sessions of this package's trainer, which takes whole passes over the batches at a call."""

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
from workloads import LEARNING_RATE, Workload


class TrainerSession:
    """A trainer at work, see :mod:`worker`."""

    def __init__(self, workload: Workload, memory: ts.Memory) -> None:
        self.workload = workload
        self.trainer = ts.Trainer(
            ours.network(workload), braintools.optim.Adam(lr=LEARNING_RATE), memory=memory
        )
        self.count = ours.count_spikes(self.trainer.network)
        self.load(workload.batches, workload.labels)

    def load(self, batches: Iterable[np.ndarray], labels: Iterable[np.ndarray]) -> None:
        """Replace the batches by others: one data set of samples ``[N, T, n_in]``."""
        self.data = None  # before the new one is there: two may not fit
        started = time.perf_counter()
        samples = np.concatenate([spikes.swapaxes(0, 1) for spikes in batches])
        self.data = ts.Dataset(
            jnp.asarray(samples, jnp.float32), jnp.asarray(np.concatenate(list(labels)))
        )
        jax.block_until_ready((self.data.inputs, self.data.targets))
        self.prepare_seconds = time.perf_counter() - started

    def run(self, steps: int) -> float:
        """Train for whole passes over the batches; return the last pass's mean loss."""
        passes, rest = divmod(steps, len(self.data) // self.workload.batch_size)
        if rest:
            raise ValueError(f"expected steps that make whole passes, got {steps}")
        history = self.trainer.fit(self.data, epochs=passes, batch_size=self.workload.batch_size)
        return history.loss[-1]

    def scores(self, spikes: np.ndarray) -> np.ndarray:
        """Scores of a batch."""
        inputs = jnp.asarray(spikes.swapaxes(0, 1), jnp.float32)
        labels = jnp.zeros(len(inputs), jnp.int32)
        return self.trainer.evaluate(ts.Dataset(inputs, labels)).scores

    def first(self) -> tuple[float, float]:
        """Loss and gradient norm of the first batch."""
        size = self.workload.batch_size
        network = self.trainer.network

        def loss(inputs: jax.Array, labels: jax.Array) -> jax.Array:
            brainstate.nn.reset_all_states(network, batch_size=size)
            outputs = ts.rollout(network, ts.time_first(inputs), memory=self.trainer.memory)
            return ts.cross_entropy(self.trainer.reduce(outputs), labels).mean()

        gradient = brainstate.transform.grad(loss, self.trainer.weights, return_value=True)
        grads, value = brainstate.transform.jit(gradient)(
            self.data.inputs[:size], self.data.targets[:size]
        )
        return float(value), norm(ours.arrays(grads))

    def rate(self) -> float:
        """Spikes a second of a hidden neuron on the first batch."""
        inputs = ts.time_first(self.data.inputs[: self.workload.batch_size])
        return rate(self.workload, float(self.count(inputs)))
