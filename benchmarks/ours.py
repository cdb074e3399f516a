"""What the contenders written with this package share: the network, with the given weights."""

from __future__ import annotations

from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
from brainstate.transform import for_loop

import trainable_spikes as ts
from workloads import DT, Workload

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
