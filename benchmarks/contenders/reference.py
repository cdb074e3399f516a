"""The loop that the documentation of brainpy.state shows, written by hand and compiled."""

from __future__ import annotations

import brainstate
import braintools
import jax
from brainstate.transform import for_loop

import ours
import trainable_spikes as ts
from session import Session
from workloads import LEARNING_RATE, Workload

DIFFERENCE = ""
LIBRARIES = ours.LIBRARIES


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = ours.network(workload)
    weights = network.states(brainstate.ParamState)
    optimizer = braintools.optim.Adam(lr=LEARNING_RATE)
    optimizer.register_trainable_weights(weights)

    def scores(spikes: jax.Array) -> jax.Array:
        brainstate.nn.reset_all_states(network, batch_size=spikes.shape[1])
        return for_loop(network.update, spikes).mean(axis=0)

    def loss(spikes: jax.Array, labels: jax.Array) -> jax.Array:
        return ts.cross_entropy(scores(spikes), labels).mean()

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
        forward=brainstate.transform.jit(scores),
        gradients=gradients,
        count=ours.count_spikes(network),
    )
