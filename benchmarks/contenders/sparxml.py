"""sparx (on PyPI: sparxml): its Flax layers over whole sequences, with optax."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import sparx

from session import Session
from workloads import (
    LEARNING_RATE,
    RAW_SURROGATE_PEAK,
    RAW_SURROGATE_WIDTH,
    RAW_THRESHOLD,
    TAU_MEMBRANE,
    TAU_READOUT,
    TAU_SYNAPSE,
    Workload,
)

DIFFERENCE = (
    "Its membrane has no gain: threshold and surrogate are scaled instead, to equal gradients."
)
LIBRARIES = ("sparxml", "flax", "optax", "jax")


class Network(nn.Module):
    """The classifier as its guide writes one."""

    n_hidden: int
    n_out: int

    @nn.compact
    def __call__(self, spikes: jax.Array) -> tuple[jax.Array, jax.Array]:
        hidden = sparx.nn.Synaptic(
            tau=TAU_MEMBRANE,
            tau_synapse=TAU_SYNAPSE,
            threshold=RAW_THRESHOLD,
            surrogate=sparx.surrogate.Triangle(width=RAW_SURROGATE_WIDTH, scale=RAW_SURROGATE_PEAK),
        )(nn.Dense(self.n_hidden, name="input")(spikes))
        outputs = sparx.nn.LI(tau=TAU_READOUT)(nn.Dense(self.n_out, name="output")(hidden))
        return outputs.mean(axis=0), hidden


def convert(spikes: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """Spikes as float32 and labels, in JAX's memory."""
    return jax.block_until_ready((jnp.asarray(spikes, jnp.float32), jnp.asarray(labels)))


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = Network(workload.n_hidden, workload.n_out)
    params = {
        "params": {
            name: {
                "kernel": jnp.asarray(workload.weights[f"{name}_weight"]),
                "bias": jnp.asarray(workload.weights[f"{name}_bias"]),
            }
            for name in ("input", "output")
        }
    }
    apply = jax.jit(network.apply)
    optimizer = optax.adam(LEARNING_RATE)
    state = [params, optimizer.init(params)]

    def loss(params: Any, spikes: jax.Array, labels: jax.Array) -> jax.Array:
        scores, _ = network.apply(params, spikes)
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()

    @jax.jit
    def train(params: Any, moments: Any, spikes: jax.Array, labels: jax.Array) -> Any:
        value, grads = jax.value_and_grad(loss)(params, spikes, labels)
        updates, moments = optimizer.update(grads, moments)
        return optax.apply_updates(params, updates), moments, value

    def step(spikes: jax.Array, labels: jax.Array) -> jax.Array:
        state[0], state[1], value = train(*state, spikes, labels)
        return value

    def gradients(spikes: jax.Array, labels: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        value, grads = jax.jit(jax.value_and_grad(loss))(state[0], spikes, labels)
        return value, jax.tree.leaves(grads)

    return Session(
        workload,
        convert,
        step,
        forward=lambda spikes: apply(state[0], spikes)[0],
        gradients=gradients,
        count=lambda spikes: apply(state[0], spikes)[1].sum(),
    )
