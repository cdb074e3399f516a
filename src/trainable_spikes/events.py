"""Sparse input as lists of events: the fast path for data that already is events.

Where few of the ``T * n_in`` entries of a sample are spikes, most of a product with the input
weights multiplies by zero. Here only the weights of inputs that spike are read, forward and
backward. Results are those of :class:`~trainable_spikes.SpikingClassifier` and
:func:`~trainable_spikes.rollout` up to rounding. Nothing is used unless asked for: import it with
``from trainable_spikes.events import EventClassifier, event_lists, whole_trial``.

An event is one integer, ``step * n_in + input``. A sample is a row of them in order of time,
filled up with ``n_steps * n_in``, which no event has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import brainpy.state
import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from trainable_spikes._checks import positive_integer, time_step
from trainable_spikes.models import SpikingClassifier
from trainable_spikes.neurons import DetachedLIF
from trainable_spikes.readouts import FilteredReadout

# Samples run in blocks whose potentials fit into the cache that a core has of its own.
_BLOCK_BYTES = 2**19


def event_lists(spikes: Any) -> np.ndarray:
    """List the events of spikes over time, once for a data set, with NumPy.

    Parameters
    ----------
    spikes : array_like, shape ``[N, T, n_in]``: 0, 1, or how many spikes fall into the step

    Returns
    -------
    numpy.ndarray of int32, shape ``[N, K]`` with K the most events of a sample

    Raises
    ------
    ValueError
        `spikes` is not of shape ``[N, T, n_in]``, or has a value that is no count.

    Examples
    --------
    >>> event_lists([[[0, 1, 0], [1, 0, 1]], [[0, 0, 0], [0, 0, 1]]]).tolist()
    [[1, 3, 5], [5, 6, 6]]
    """
    spikes = np.asarray(spikes)
    if spikes.ndim != 3:
        raise ValueError(f"expected spikes of shape [N, T, n_in], got shape {spikes.shape}")
    flat = spikes.reshape(len(spikes), -1)
    sample, event = np.nonzero(flat)
    counts = flat[sample, event].astype(np.int64)
    if np.any(counts < 1) or np.any(counts != flat[sample, event]):
        raise ValueError(
            "expected 0, 1 or counts of spikes, got other values: graded input has no events, "
            "give it to the plain path"
        )
    return _rows(np.repeat(sample, counts), np.repeat(event, counts), *flat.shape)


def event_lists_from_times(
    times: Sequence[Any], units: Sequence[Any], *, n_steps: int, n_in: int
) -> np.ndarray:
    """List events given by times and units, the layout of the Spiking Heidelberg Digits.

    Parameters
    ----------
    times, units : sequence of array_like
        For each sample the times of its events in seconds, in any order, and the inputs, below
        `n_in`, that they are of.
    n_steps, n_in : int
        Number of time steps ``T`` and of inputs. Events past the last step are left out.

    Returns
    -------
    numpy.ndarray of int32, shape ``[N, K]`` with K the most events of a sample

    Raises
    ------
    RuntimeError, TypeError, ValueError
        No ``dt`` is set; times and units do not pair up, or one is out of range.

    Examples
    --------
    >>> import brainstate, brainunit as u
    >>> with brainstate.environ.context(dt=1. * u.ms):
    ...     event_lists_from_times([[2.4e-3, 1e-4]], [[0, 1]], n_steps=3, n_in=2).tolist()
    [[1, 4]]
    """
    lengths = [len(one) for one in units]
    if [len(one) for one in times] != lengths:
        raise ValueError("expected as many units as times in every sample, got other numbers")
    sample = np.repeat(np.arange(len(lengths)), lengths)
    unit = np.concatenate([np.asarray(one, np.int64) for one in units])
    time = np.concatenate([np.asarray(one, np.float64) for one in times])
    if np.any((unit < 0) | (unit >= n_in) | (time < 0)):
        raise ValueError(f"expected times of at least 0 and units below {n_in}, got others")
    step = np.floor(time / float(time_step().to_decimal(u.second))).astype(np.int64)
    event = step * n_in + unit
    order = np.lexsort((event, sample))
    order = order[step[order] < n_steps]
    return _rows(sample[order], event[order], len(lengths), n_steps * n_in)


def _rows(sample: np.ndarray, event: np.ndarray, n_samples: int, past_end: int) -> np.ndarray:
    """Put events sorted by sample into rows of equal length."""
    counts = np.bincount(sample, minlength=n_samples)
    rows = np.full((n_samples, max(1, counts.max())), past_end, np.int32)
    rows[sample, np.arange(len(sample)) - (np.cumsum(counts) - counts)[sample]] = event
    return rows


def event_currents(weight: Any, events: jax.Array, n_steps: int) -> Any:
    """Multiply spikes given as events by weights, reading only the rows of inputs that spike.

    Parameters
    ----------
    weight : brainunit.Quantity or jax.Array, shape ``[n_in, n_hidden]``; its gradient is exact
    events : jax.Array, shape ``[B, K]``
    n_steps : int, number of time steps ``T``

    Returns
    -------
    brainunit.Quantity or jax.Array, in the unit of `weight`, shape ``[T, B, n_hidden]``
    """
    currents = _currents(n_steps, u.get_mantissa(weight), events)
    return u.maybe_decimal(currents * u.get_unit(weight))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _currents(n_steps: int, weight: jax.Array, events: jax.Array) -> jax.Array:
    n_in, n_hidden = weight.shape

    # Sample by sample: what is added to stays in the cache.
    def sample(row: jax.Array) -> jax.Array:
        silence = jnp.zeros((n_steps, n_hidden), weight.dtype)
        return silence.at[row // n_in].add(weight[row % n_in], mode="drop")

    return jnp.swapaxes(jax.lax.map(sample, events), 0, 1)


def _currents_forward(n_steps: int, weight: jax.Array, events: jax.Array) -> Any:
    return _currents(n_steps, weight, events), (weight, events)


def _currents_backward(n_steps: int, kept: Any, slope: jax.Array) -> Any:
    weight, events = kept
    n_in = weight.shape[0]

    def sample(total: jax.Array, one: Any) -> Any:
        row, by_step = one
        return total.at[row % n_in].add(
            by_step.at[row // n_in].get(mode="fill", fill_value=0)
        ), None

    each = (events, jnp.swapaxes(slope, 0, 1))
    return jax.lax.scan(sample, jnp.zeros_like(weight), each)[0], None


_currents.defvjp(_currents_forward, _currents_backward)


def whole_trial(events: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Encode events for an :class:`EventClassifier`, whose one update takes the whole trial."""
    return events[None]


class EventClassifier(brainstate.nn.Module):
    r"""Run a :class:`~trainable_spikes.SpikingClassifier` on events, a trial in one update.

    Gives the mean over time of the network's outputs and shares its weights: train this one, then
    record or evaluate the network itself. What makes it fast, beside :func:`event_currents`: for
    the backward pass only membrane potentials are kept, all else follows from them; and the mean
    of filtered outputs is the readout of a sum of spikes, each with the weight

    .. math:: c_t = \frac{1 - e^{-(T - t) \Delta t / \tau}}{T \, (1 - e^{-\Delta t / \tau})}

    so that the readout is one product a trial instead of one a step.

    Parameters
    ----------
    network : SpikingClassifier, the network, with a :class:`~trainable_spikes.FilteredReadout`
    n_steps : int, number of time steps ``T``

    Raises
    ------
    TypeError, ValueError
        The network has another readout or other neurons, or `n_steps` is no positive integer.

    Examples
    --------
    >>> import brainstate, braintools, brainunit as u
    >>> import trainable_spikes as ts
    >>> brainstate.random.seed(0)
    >>> with brainstate.environ.context(dt=1. * u.ms):
    ...     data = ts.random_labels(n_samples=64, n_steps=50)
    ...     fast = EventClassifier(ts.SpikingClassifier(100, 4, 2), n_steps=50)
    ...     trainer = ts.Trainer(fast, braintools.optim.Adam(lr=3e-3), encode=whole_trial)
    >>> events = ts.Dataset(event_lists(data.inputs), data.targets)
    >>> round(trainer.fit(events, epochs=3).loss[0], 4)
    0.6931
    """

    def __init__(self, network: SpikingClassifier, n_steps: int) -> None:
        super().__init__()
        positive_integer("n_steps", n_steps)
        neuron, readout = type(network.neuron), type(network.readout)
        if neuron not in (brainpy.state.LIF, DetachedLIF) or readout is not FilteredReadout:
            raise TypeError(
                f"expected LIF neurons and a FilteredReadout, got {neuron.__name__} and "
                f"{readout.__name__}: use `event_currents` and a loop of your own"
            )
        self.network = network
        self.n_steps = n_steps

    def update(self, events: jax.Array) -> jax.Array:
        """Run the events of a batch, ``[B, K]``, to mean outputs, ``[B, n_out]``."""
        given = self.network.input.weight.value
        weight, bias = given["weight"].to_decimal(u.mA), given["bias"].to_decimal(u.mA)
        decay = _decay(self.network.readout.filter.tau)
        kernel = (1 - decay ** np.arange(self.n_steps, 0, -1.0)) / ((1 - decay) * self.n_steps)
        spike_sum = _spike_sum(self.network, kernel)

        def block(rows: jax.Array) -> jax.Array:
            return spike_sum(_currents(self.n_steps, weight, rows), bias)

        (batch, slots), (n_in, n_hidden) = events.shape, weight.shape
        n_blocks = -(-batch * self.n_steps * n_hidden * weight.dtype.itemsize // _BLOCK_BYTES)
        size = -(-batch // min(batch, n_blocks))
        rows = jnp.pad(events, ((0, -batch % size), (0, 0)), constant_values=self.n_steps * n_in)
        sums = jax.lax.map(block, rows.reshape(-1, size, slots)).reshape(-1, n_hidden)[:batch]
        readout = self.network.readout.weight.weight.value
        return sums @ readout["weight"] + readout["bias"] * float(kernel.sum())


def _decay(tau: u.Quantity) -> float:
    """Return what is left after a time step."""
    return float(np.exp(-float(time_step() / tau)))


def _spike_sum(network: SpikingClassifier, kernel: np.ndarray) -> Callable[..., jax.Array]:
    """Return the map from currents ``[T, B, n]`` and bias to sums of spikes weighted by `kernel`.

    It is one scan over time, its derivative another in reverse. Synapse and membrane are linear
    between spikes, so the slope of a step depends on its potential only.
    """
    neuron = network.neuron
    synapse_decay, membrane_decay = _decay(network.synapse.tau), _decay(neuron.tau)
    gain = (1 - membrane_decay) * float(neuron.R.to_decimal(u.ohm))
    threshold, reset, rest = (
        float(value.to_decimal(u.mV)) for value in (neuron.V_th, neuron.V_reset, neuron.V_rest)
    )

    def spike_and_leak(potential: jax.Array) -> tuple[jax.Array, jax.Array]:
        spike = neuron.spk_fun((potential - threshold) / (threshold - reset))
        # What the two kinds of neuron hold constant in the derivative of a reset.
        resets, level = spike, jax.lax.stop_gradient(potential)
        if type(neuron) is DetachedLIF:
            resets, level = jax.lax.stop_gradient(spike), potential
        resets_from = threshold if neuron.spk_reset == "soft" else level
        after_reset = potential - (resets_from - reset) * resets
        return spike, rest + membrane_decay * (after_reset - rest)

    def forward(currents: jax.Array, bias: jax.Array) -> Any:
        def step(carry: Any, now: Any) -> Any:
            (synapse, leaked, total), (current, weight) = carry, now
            synapse = synapse_decay * synapse + (current + bias)
            potential = leaked + gain * synapse
            spike, leaked = spike_and_leak(potential)
            return (synapse, leaked, total + weight * spike), potential

        zero = jnp.zeros_like(currents[0])
        steps = (currents, jnp.asarray(kernel, zero.dtype))
        (_, _, total), potentials = jax.lax.scan(step, (zero, zero + rest, zero), steps)
        return total, potentials

    def backward(potentials: jax.Array, by_total: jax.Array) -> Any:
        def step(carry: Any, then: Any) -> Any:
            (by_leaked, by_synapse, by_bias), (potential, weight) = carry, then
            (by_potential,) = jax.vjp(spike_and_leak, potential)[1]((weight * by_total, by_leaked))
            by_synapse = synapse_decay * by_synapse + gain * by_potential
            return (by_potential, by_synapse, by_bias + by_synapse), by_synapse

        zero = jnp.zeros_like(by_total)
        start, steps = (zero, zero, zero), (potentials, jnp.asarray(kernel, zero.dtype))
        (_, _, by_bias), by_currents = jax.lax.scan(step, start, steps, reverse=True)
        return by_currents, by_bias.sum(axis=0)

    spike_sum = jax.custom_vjp(lambda currents, bias: forward(currents, bias)[0])
    spike_sum.defvjp(forward, backward)
    return spike_sum
