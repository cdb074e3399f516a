"""This package's fast path on dense spikes: one product with the input weights a step."""

from __future__ import annotations

import brainstate
import braintools
import jax

import ours
import trainable_spikes as ts
from session import Session
from trainable_spikes.events import EventClassifier
from workloads import LEARNING_RATE, Workload

DIFFERENCE = (
    "The mean over time of the filtered readout is computed as one weighted sum of the spikes, "
    "which rounds differently."
)
LIBRARIES = ours.LIBRARIES


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = ours.network(workload)
    fast = EventClassifier(network, workload.n_steps)
    weights = fast.states(brainstate.ParamState)
    optimizer = braintools.optim.Adam(lr=LEARNING_RATE)
    optimizer.register_trainable_weights(weights)

    def loss(spikes: jax.Array, labels: jax.Array) -> jax.Array:
        return ts.cross_entropy(fast.update(spikes), labels).mean()

    gradient = brainstate.transform.grad(loss, weights, return_value=True)

    @brainstate.transform.jit
    def step(spikes: jax.Array, labels: jax.Array) -> jax.Array:
        grads, value = gradient(spikes, labels)
        optimizer.step(grads)
        return value

    def gradients(spikes: jax.Array, labels: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        grads, value = brainstate.transform.jit(gradient)(spikes, labels)
        return value, ours.arrays(grads)

    return Session(
        workload,
        convert=ours.convert,
        step=step,
        forward=brainstate.transform.jit(fast.update),
        gradients=gradients,
        count=ours.count_spikes(network),
    )
