"""Turn static intensities into spikes over time.

Encoders take a batch and a random key and return spikes of shape ``[T, B, n_in]``, so a
:class:`~trainable_spikes.Trainer` can encode inside its compiled step: each step sees
fresh Poisson spikes, and no spike tensor of the whole data set is ever held in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import brainunit as u
import jax
import jax.numpy as jnp

from trainable_spikes._checks import positive_integer, quantity, step_probability, time_step

Encoder: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]


def time_first(inputs: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Move time to the front of a batch that is already a time series.

    Parameters
    ----------
    inputs : jax.Array, shape ``[B, T, ...]``
        Spikes or intensities of a batch; the samples come first.
    key : jax.Array, optional
        Ignored; present so that all encoders are called alike.

    Returns
    -------
    jax.Array, shape ``[T, B, ...]``
        The same values; time comes first.

    Examples
    --------
    >>> time_first(jnp.zeros((8, 100, 3))).shape
    (100, 8, 3)
    """
    return jnp.swapaxes(inputs, 0, 1)


def poisson_spikes(n_steps: int, max_rate: u.Quantity) -> Encoder:
    r"""Encode intensities as independent random spikes, at most one per step.

    A neuron with intensity :math:`x` spikes in a step with probability
    :math:`x \, r_\mathrm{max} \, \Delta t`, the Bernoulli approximation of a Poisson
    process (Dayan and Abbott 2001, section 1.4).

    ``braintools.PoissonEncoder`` warns of its removal on braintools 0.4, and its new name is
    missing from 0.3. This encoder takes its random key as an argument, so that a training step
    can be repeated.

    Parameters
    ----------
    n_steps : int
        Number of time steps ``T``.
    max_rate : brainunit.Quantity
        Firing rate at intensity 1; ``max_rate * dt`` is at most 1.

    Returns
    -------
    callable
        ``encode(intensity, key)``: from intensities in [0, 1] of shape ``[B, n_in]`` to
        float32 spikes of shape ``[T, B, n_in]``.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        `max_rate` is not a frequency.
    ValueError
        `max_rate` is below zero or above one spike per step, or `n_steps` is not a positive
        integer.
    """
    positive_integer("n_steps", n_steps)
    probability = step_probability("max_rate", max_rate)

    def encode(intensity: jax.Array, key: jax.Array) -> jax.Array:
        chance = jax.random.uniform(key, (n_steps, *intensity.shape))
        return (chance < intensity * probability).astype(jnp.float32)

    return encode


def latency_spikes(n_steps: int, latest: u.Quantity, *, threshold: float = 0.0) -> Encoder:
    r"""Encode each intensity as one spike: the stronger the intensity, the earlier the spike.

    A neuron with intensity :math:`x` spikes at :math:`t = (1 - x) \, t_\mathrm{latest}`,
    rounded to a step; at or below `threshold` it stays silent.

    ``braintools.LatencyEncoder`` warns on braintools 0.3 and 0.4 alike, under any one name.

    Parameters
    ----------
    n_steps : int
        Number of time steps ``T``.
    latest : brainunit.Quantity
        Spike time of the weakest intensity, less than ``T * dt``.
    threshold : float, default 0
        Intensity up to which a neuron stays silent.

    Returns
    -------
    callable
        ``encode(intensity, key=None)``: from intensities in [0, 1] of shape ``[B, n_in]``
        to float32 spikes of shape ``[T, B, n_in]``. The key is ignored.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        `latest` is not a time.
    ValueError
        `latest` does not fit into `n_steps`, or `n_steps` is not a positive integer.

    Examples
    --------
    >>> import brainstate, jax, brainunit as u
    >>> with brainstate.environ.context(dt=1. * u.ms):
    ...     encode = latency_spikes(n_steps=3, latest=2. * u.ms)
    >>> print(encode(jax.numpy.array([[0., 0.01, 0.5, 1.]]))[:, 0])
    [[0. 0. 0. 1.]
     [0. 0. 1. 0.]
     [0. 1. 0. 0.]]
    """
    positive_integer("n_steps", n_steps)
    quantity("latest", latest, u.ms, "latest=30. * u.ms")
    latest_step = round(float(latest.to_decimal(u.ms) / time_step().to_decimal(u.ms)))
    if not 0 <= latest_step < n_steps:
        raise ValueError(
            f"expected the latest spike within {n_steps} steps of {time_step()}, got "
            f"latest={latest} (step {latest_step}): raise n_steps or lower latest"
        )

    def encode(intensity: jax.Array, key: jax.Array | None = None) -> jax.Array:
        intensity = jnp.asarray(intensity, jnp.float32)  # bytes would wrap around below zero
        step = jnp.round((1 - intensity) * latest_step).astype(jnp.int32)
        step = jnp.where(intensity > threshold, step, n_steps)  # past the end: no spike
        return jax.nn.one_hot(step, n_steps, axis=0, dtype=jnp.float32)

    return encode
