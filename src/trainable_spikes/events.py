"""Sparse input as lists of events: the fast path for data that already is events.

Where few of the ``T * n_in`` entries of a sample are spikes, most of a product with the input
weights multiplies by zero. Here only the weights of inputs that spike are read, forward and
backward; results are those of the plain path up to rounding. The package does not import this
module: write ``from trainable_spikes.events import EventClassifier, event_lists, whole_trial``.

An event is one integer, ``step * n_in + input``. A sample is a row of them in order of time,
filled up with ``n_steps * n_in``, a value that no event has.
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

# What a loop works on fits into a core's own cache: a block's potentials, weights a group reads.
_BLOCK_BYTES, _GROUP_BYTES = 2**20, 2**18
_UNROLL = 4  # groups a round: the loop's own cost counts where one has little to do


def event_lists(spikes: Any) -> np.ndarray:
    """Convert spikes over time to lists of events, once for a data set, with NumPy.

    Parameters
    ----------
    spikes : array_like, shape ``[N, T, n_in]``
        Number of spikes in each step: 0, 1 or more.

    Returns
    -------
    numpy.ndarray of int32, shape ``[N, K]``
        Events of each sample in order of time; ``K`` is the largest number in a sample.

    Raises
    ------
    ValueError
        `spikes` is not of shape ``[N, T, n_in]``, or has a value that is not a count.

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
    """List events given by times and units, as the Spiking Heidelberg Digits come.

    Parameters
    ----------
    times : sequence of array_like
        Times of the events of each sample in seconds, in any order.
    units : sequence of array_like
        Inputs of the same events, integers from 0 to ``n_in - 1``.
    n_steps : int
        Number of time steps ``T``; events past the last step are left out.
    n_in : int
        Number of inputs.

    Returns
    -------
    numpy.ndarray of int32, shape ``[N, K]``
        Events of each sample in order of time; ``K`` is the largest number in a sample.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        The time step is not a time.
    ValueError
        Times and units do not pair up, or one of them is out of range.

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
    weight : brainunit.Quantity or jax.Array, shape ``[n_in, n_hidden]``
        Input weights; their gradient is exact.
    events : jax.Array of int32, shape ``[B, K]``
        Lists of events, as :func:`event_lists` makes them.
    n_steps : int
        Number of time steps ``T``.

    Returns
    -------
    brainunit.Quantity or jax.Array, shape ``[T, B, n_hidden]``
        Currents in the unit of `weight`.
    """
    currents = _currents(n_steps, u.get_mantissa(weight), events)
    return u.maybe_decimal(currents * u.get_unit(weight))


def _split(events: jax.Array, size: int, past_end: int) -> jax.Array:
    """Split a batch into parts of about equal length, at most `size`: ``[parts, length, K]``."""
    length = -(-len(events) // -(-len(events) // max(1, size)))
    rows = jnp.pad(events, ((0, -len(events) % length), (0, 0)), constant_values=past_end)
    return rows.reshape(-1, length, events.shape[1])


def _groups(events: jax.Array, n_steps: int, weight: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return steps and inputs of events by groups of samples, ``[groups, samples, K]``."""
    size = _GROUP_BYTES // (events.shape[1] * weight[0].nbytes)
    return jnp.divmod(_split(events, size, n_steps * len(weight)), len(weight))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _currents(n_steps: int, weight: jax.Array, events: jax.Array) -> jax.Array:
    step, given = _groups(events, n_steps, weight)
    size, n_hidden = step.shape[1], weight.shape[1]
    row = step * size + jnp.arange(size)[:, None]

    def group(_: None, one: Any) -> Any:
        row, given = one
        read = weight.at[given].get(mode="promise_in_bounds")
        silence = jnp.zeros((n_steps * size, n_hidden), weight.dtype)
        return None, silence.at[row].add(read, mode="drop")

    currents = jax.lax.scan(group, None, (row, given), unroll=_UNROLL)[1]
    currents = jnp.swapaxes(currents.reshape(-1, n_steps, size, n_hidden), 0, 1)
    return currents.reshape(n_steps, -1, n_hidden)[:, : len(events)]


def _currents_backward(n_steps: int, kept: Any, slope: jax.Array) -> Any:
    weight, events = kept
    step, given = _groups(events, n_steps, weight)
    sample = jnp.arange(step[..., 0].size).reshape(len(step), -1, 1)
    past_end = n_steps * len(events)  # the row of zeros that empty slots read
    row = jnp.minimum(step * len(events) + sample, past_end)
    slope = jnp.pad(slope.reshape(past_end, -1), ((0, 1), (0, 0)))

    def group(total: jax.Array, one: Any) -> Any:
        row, given = one
        read = slope.at[row].get(mode="promise_in_bounds")
        return total.at[given].add(read, mode="promise_in_bounds"), None

    return jax.lax.scan(group, jnp.zeros_like(weight), (row, given), unroll=_UNROLL)[0], None


_currents.defvjp(lambda *given: (_currents(*given), given[1:]), _currents_backward)


def whole_trial(inputs: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Encode a batch as a single step, a whole trial, for :class:`EventClassifier`.

    Parameters
    ----------
    inputs : jax.Array, shape ``[B, K]`` or ``[B, T, n_in]``
        Lists of events, or spikes over time.
    key : jax.Array, optional
        Ignored; present so that all encoders are called alike.

    Returns
    -------
    jax.Array, shape ``[1, B, K]`` or ``[1, T, B, n_in]``
        The same values as one step; time comes first in spikes.
    """
    return (inputs if inputs.ndim == 2 else jnp.swapaxes(inputs, 0, 1))[None]


class EventClassifier(brainstate.nn.Module):
    r"""Run a :class:`~trainable_spikes.SpikingClassifier` on events, a whole trial per update.

    The output is the mean over time of the network's outputs, and the weights are shared with the
    network: train this module, then record or evaluate the network itself. Spikes too dense for
    lists are multiplied by the weights, all steps at once. Only membrane potentials are kept for
    the backward pass; everything else is computed from them. The mean of the filtered outputs is
    one readout per trial, applied to a sum of spikes with the weights

    .. math:: c_t = \frac{1 - e^{-(T - t) \Delta t / \tau}}{T \, (1 - e^{-\Delta t / \tau})}

    Parameters
    ----------
    network : SpikingClassifier
        The network, with a :class:`~trainable_spikes.FilteredReadout`.
    n_steps : int
        Number of time steps ``T`` that the lists were made for; another number gives other spikes.

    Raises
    ------
    TypeError
        The network has another readout or other neurons.
    ValueError
        `n_steps` is not a positive integer.

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

    def update(self, inputs: jax.Array) -> jax.Array:
        """Run a trial and average its outputs over time.

        Parameters
        ----------
        inputs : jax.Array, shape ``[B, K]`` or ``[T, B, n_in]``
            Lists of events, or spikes over time.

        Returns
        -------
        jax.Array, shape ``[B, n_out]``
            Mean outputs.
        """
        given = self.network.input.weight.value
        weight, bias = given["weight"].to_decimal(u.mA), given["bias"].to_decimal(u.mA)
        decay = _decay(self.network.readout.filter.tau)
        kernel = (1 - decay ** np.arange(self.n_steps, 0, -1.0)) / ((1 - decay) * self.n_steps)
        spike_sum = _spike_sum(self.network, kernel)

        if inputs.ndim == 3:
            sums = spike_sum(inputs @ weight, bias)
        else:
            steps, size = self.n_steps, _BLOCK_BYTES // (self.n_steps * weight[0].nbytes)
            blocks = _split(inputs, size, steps * len(weight))
            sums = jax.lax.map(lambda rows: spike_sum(_currents(steps, weight, rows), bias), blocks)
            sums = sums.reshape(-1, weight.shape[1])[: len(inputs)]
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
            (synapse, potential, total), (current, weight) = carry, now
            synapse = synapse_decay * synapse + (current + bias)
            potential = spike_and_leak(potential)[1] + gain * synapse
            total = total + weight * spike_and_leak(potential)[0]
            return (synapse, potential, total), potential

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
