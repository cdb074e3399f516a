"""Spyx: its ``Sequential`` scanned by ``run``, and its compiled training step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import spyx
import spyx.nn as snn
from flax import nnx

from session import Session
from workloads import (
    LEARNING_RATE,
    MEMBRANE_DECAY,
    RAW_SURROGATE_PEAK,
    RAW_SURROGATE_WIDTH,
    RAW_THRESHOLD,
    READOUT_DECAY,
    SYNAPSE_DECAY,
    Workload,
)

DIFFERENCE = (
    "Its membrane has no gain: threshold and surrogate are scaled instead, to equal gradients. "
    "Spikes leave one step after the potential has reached the threshold. The decays are "
    "parameters of the network; they are frozen, so that all train the same."
)
LIBRARIES = ("spyx", "flax", "optax", "jax")


def triangle(above: jax.Array) -> jax.Array:
    """The surrogate's derivative."""
    return RAW_SURROGATE_PEAK * jnp.maximum(0.0, 1.0 - jnp.abs(above) / RAW_SURROGATE_WIDTH)


def is_decay(path: tuple[Any, ...], value: Any) -> bool:
    """Whether a parameter is one of the neurons' decays."""
    return path[-1] in ("alpha", "beta")


def convert(spikes: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """Spikes as float32 and labels, in JAX's memory."""
    return jax.block_until_ready((jnp.asarray(spikes, jnp.float32), jnp.asarray(labels)))


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    rngs = nnx.Rngs(0)
    model = snn.Sequential(
        nnx.Linear(workload.n_in, workload.n_hidden, rngs=rngs),
        snn.CuBaLIF(
            (workload.n_hidden,),
            alpha=SYNAPSE_DECAY,
            beta=MEMBRANE_DECAY,
            threshold=RAW_THRESHOLD,
            activation=spyx.axn.custom(triangle, lambda x: (x >= 0).astype(x.dtype)),
            rngs=rngs,
        ),
        nnx.Linear(workload.n_hidden, workload.n_out, rngs=rngs),
        snn.LI((workload.n_out,), beta=READOUT_DECAY, rngs=rngs),
    )
    for position, name in ((0, "input"), (2, "output")):
        model.layers[position].kernel[...] = jnp.asarray(workload.weights[f"{name}_weight"])
        model.layers[position].bias[...] = jnp.asarray(workload.weights[f"{name}_bias"])
    trained = nnx.All(nnx.Param, nnx.Not(is_decay))
    optimizer = nnx.Optimizer(model, optax.adam(LEARNING_RATE), wrt=trained)

    def loss(model: Any, spikes: jax.Array, labels: jax.Array) -> jax.Array:
        scores = snn.run(model, spikes)[0].mean(axis=0)
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()

    gradient = nnx.value_and_grad(loss, argnums=nnx.DiffState(0, trained))

    @nnx.jit
    def train(model: Any, optimizer: Any, spikes: jax.Array, labels: jax.Array) -> jax.Array:
        value, grads = gradient(model, spikes, labels)
        optimizer.update(model, grads)
        return value

    @nnx.jit
    def scores(model: Any, spikes: jax.Array) -> jax.Array:
        return snn.run(model, spikes)[0].mean(axis=0)

    @nnx.jit
    def count(model: Any, spikes: jax.Array) -> jax.Array:
        hidden = snn.Sequential(*model.layers[:2])
        return snn.run(hidden, spikes)[0].sum()

    def gradients(spikes: jax.Array, labels: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        value, grads = nnx.jit(gradient)(model, spikes, labels)
        return value, jax.tree.leaves(grads)

    return Session(
        workload,
        convert,
        step=lambda spikes, labels: train(model, optimizer, spikes, labels),
        forward=lambda spikes: scores(model, spikes),
        gradients=gradients,
        count=lambda spikes: count(model, spikes),
    )
