"""What the contenders written with this package share: the network, with the given weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
from brainstate.transform import for_loop

import trainable_spikes as ts
from session import Session
from workloads import DT, LEARNING_RATE, Workload

LIBRARIES = ("trainable-spikes", "brainpy", "brainstate", "braintools", "brainunit", "jax")


def network(workload: Workload) -> ts.SpikingClassifier:
    """Build the network, ready for batches of the workload's size."""
    brainstate.environ.set(dt=DT * u.ms)
    built = ts.SpikingClassifier(workload.n_in, workload.n_hidden, workload.n_out)
    weights = {name: jnp.asarray(array) for name, array in workload.weights.items()}
    built.input.weight.value = {
        "weight": weights["input_weight"] * u.mA,
        "bias": weights["input_bias"] * u.mA,
    }
    built.readout.weight.weight.value = {
        "weight": weights["output_weight"],
        "bias": weights["output_bias"],
    }
    brainstate.nn.init_all_states(built, batch_size=workload.batch_size)
    return built


def convert(spikes: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """Spikes as float32 and labels, in JAX's memory."""
    return jax.block_until_ready((jnp.asarray(spikes, jnp.float32), jnp.asarray(labels)))


def arrays(tree: Any) -> list[jax.Array]:
    """All arrays of a tree of quantities, in the units they have."""
    return [u.get_mantissa(leaf) for leaf in jax.tree.leaves(tree, is_leaf=u.math.is_quantity)]


def count_spikes(built: ts.SpikingClassifier) -> Any:
    """A compiled function from spikes over time to the number of hidden spikes."""

    @brainstate.transform.jit
    def count(spikes: jax.Array) -> jax.Array:
        def step(x: jax.Array) -> jax.Array:
            built.update(x)
            return built.neuron.get_spike().sum()

        brainstate.nn.reset_all_states(built, batch_size=spikes.shape[1])
        return for_loop(step, spikes).sum()

    return count


def session(
    workload: Workload, built: ts.SpikingClassifier, scores: Callable[[jax.Array], jax.Array]
) -> Session:
    """Make the session of a step written by hand; `scores` runs spikes over time."""
    weights = built.states(brainstate.ParamState)
    optimizer = braintools.optim.Adam(lr=LEARNING_RATE)
    optimizer.register_trainable_weights(weights)

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
        return value, arrays(grads)

    return Session(
        workload,
        convert=convert,
        step=step,
        forward=brainstate.transform.jit(scores),
        gradients=gradients,
        count=count_spikes(built),
    )
