"""Run a network over time, and choose how much to keep for the backward pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import brainstate
import brainunit as u
import jax
from brainstate.transform import checkpoint, checkpointed_for_loop, for_loop

from trainable_spikes._checks import positive_integer, time_step

Memory: TypeAlias = Literal["plain", "remat", "checkpointed"]


class Recording(NamedTuple):
    """Hold what :func:`record` measures; time comes first.

    Attributes
    ----------
    outputs : jax.Array, shape ``[T, B, n_out]``
        Outputs of the network at every time step.
    spikes : jax.Array, shape ``[T, B, n_hidden]``
        Spikes of ``network.neuron``, 0 or 1.
    potential : brainunit.Quantity, shape ``[T, B, n_hidden]``
        Membrane potentials of ``network.neuron``, in mV.
    """

    outputs: jax.Array
    spikes: jax.Array
    potential: u.Quantity


def rollout(
    network: brainstate.nn.Module,
    inputs: jax.Array,
    *,
    memory: Memory = "plain",
    chunk: int | None = None,
) -> Any:
    r"""Apply ``network.update`` to every time step of `inputs`, differentiably.

    The result is the same for each `memory`; what is stored for the backward pass is not.
    ``"plain"`` stores every step. ``"remat"`` stores the state at every `chunk`-th step and
    computes the rest again, which is two-level rematerialisation with :math:`O(T / c + c)` states
    for chunks of :math:`c` steps (Chen et al. 2016, arXiv:1604.06174). ``"checkpointed"``
    is ``brainstate.transform.checkpointed_for_loop`` with `chunk` as its ``base``.

    Parameters
    ----------
    network : brainstate.nn.Module
        Network whose states are initialised for the batch size of `inputs`.
    inputs : jax.Array, shape ``[T, B, n_in]``
        Input of the network at every time step.
    memory : {"plain", "remat", "checkpointed"}, default "plain"
        What to keep for the backward pass.
    chunk : int, optional
        Number of steps per chunk; by default :math:`\sqrt{T}`, rounded up, and at least 2.

    Returns
    -------
    jax.Array, shape ``[T, B, n_out]``
        Outputs of the network at every time step.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    ValueError
        `inputs` is not of shape ``[T, B, n_in]``, `memory` is unknown, or `chunk` is not a
        positive integer.

    Examples
    --------
    >>> import brainstate, jax.numpy as jnp, brainunit as u
    >>> import trainable_spikes as ts
    >>> with brainstate.environ.context(dt=1. * u.ms):
    ...     network = ts.SpikingClassifier(10, 20, 3)
    ...     _ = brainstate.nn.init_all_states(network, batch_size=4)
    ...     ts.rollout(network, jnp.ones((50, 4, 10)), memory="remat").shape
    (50, 4, 3)
    """
    _check_inputs(inputs)
    if chunk is not None:
        positive_integer("chunk", chunk)
    chunk = chunk or max(2, math.ceil(math.sqrt(inputs.shape[0])))
    if memory == "plain":
        return for_loop(network.update, inputs)
    if memory == "checkpointed":
        return checkpointed_for_loop(network.update, inputs, base=chunk)
    if memory == "remat":
        return _remat(network, inputs, chunk)
    raise ValueError(f'expected memory to be "plain", "remat" or "checkpointed", got {memory!r}')


def truncated_rollout(network: brainstate.nn.Module, inputs: jax.Array, *, window: int) -> Any:
    """Apply ``network.update`` to every time step, with gradients that stay within windows.

    This is truncated backpropagation through time (Williams and Peng 1990,
    doi:10.1162/neco.1990.2.4.490), in windows that do not overlap. Outputs are those of
    :func:`rollout`, but at the start of each window the states count as constants. The gradient
    differs from the full one: it lacks the effect of an input on the outputs of later windows.

    Parameters
    ----------
    network : brainstate.nn.Module
        Network whose states are initialised for the batch size of `inputs`.
    inputs : jax.Array, shape ``[T, B, n_in]``
        Input of the network at every time step.
    window : int
        Number of steps per window; ``T`` or more gives the full gradient.

    Returns
    -------
    jax.Array, shape ``[T, B, n_out]``
        Outputs of the network at every time step.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    ValueError
        `inputs` is not of shape ``[T, B, n_in]``, or `window` is not a positive integer.
    """
    _check_inputs(inputs)
    positive_integer("window", window)
    states = network.states(brainstate.HiddenState).values()
    starts = jax.numpy.arange(inputs.shape[0]) % window == 0

    def step(start: jax.Array, x: jax.Array) -> Any:
        for state in states:
            state.value = jax.tree.map(
                lambda value: jax.numpy.where(start, jax.lax.stop_gradient(value), value),
                state.value,
            )
        return network.update(x)

    return for_loop(step, starts, inputs)


def _check_inputs(inputs: jax.Array) -> None:
    time_step()
    if inputs.ndim < 3 or inputs.shape[0] == 0:
        raise ValueError(
            "expected inputs over time of shape [T, B, n_in] with T >= 1, got shape "
            f"{tuple(inputs.shape)}: encode static inputs first, and put time first"
        )


def _remat(network: brainstate.nn.Module, inputs: jax.Array, chunk: int) -> Any:
    """Keep the state at chunk borders only; steps that fill no chunk are stored plainly."""
    whole = inputs.shape[0] // chunk * chunk
    parts = []
    if whole:
        chunks = inputs[:whole].reshape(-1, chunk, *inputs.shape[1:])
        outputs = for_loop(checkpoint(lambda part: for_loop(network.update, part)), chunks)
        parts.append(jax.tree.map(lambda y: y.reshape(whole, *y.shape[2:]), outputs))
    if whole < inputs.shape[0]:
        parts.append(for_loop(network.update, inputs[whole:]))
    return jax.tree.map(lambda *pieces: jax.numpy.concatenate(pieces), *parts)


def record(network: brainstate.nn.Module, inputs: jax.Array) -> Recording:
    """Run a network from its initial state and keep spikes and membrane potentials.

    Parameters
    ----------
    network : brainstate.nn.Module
        Network with a layer ``network.neuron``, such as
        :class:`~trainable_spikes.SpikingClassifier`.
    inputs : jax.Array, shape ``[T, B, n_in]``
        Input of the network at every time step.

    Returns
    -------
    Recording
        Outputs, spikes and potentials of every time step.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    """
    time_step()
    brainstate.nn.init_all_states(network, batch_size=inputs.shape[1])

    def step(x: jax.Array) -> tuple[jax.Array, u.Quantity]:
        return network.update(x), network.neuron.V.value

    outputs, potential = brainstate.transform.jit(lambda inputs: for_loop(step, inputs))(inputs)
    return Recording(outputs, network.neuron.get_spike(potential), potential)


def temporary_memory(function: Callable[..., Any], *arguments: Any) -> int:
    """Return the number of bytes of temporaries that a compiled function needs.

    The function is compiled but not run. Temporaries grow with the length of a rollout, since they
    hold all that is stored for the backward pass, so measure the function that takes the gradient.
    The compiler's own ``peak_memory_in_bytes`` cannot serve: on a CPU it was found to depend only
    on the size of the arguments.

    Parameters
    ----------
    function : callable
        Function to compile; it may read and write ``brainstate`` states.
    *arguments : Any
        Its arguments; shapes and types matter, values do not.

    Returns
    -------
    int
        Size of the temporaries, in bytes.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> temporary_memory(lambda x: jnp.sin(x) @ x, jnp.ones((256, 256))) >= 256 * 256 * 4
    True
    """
    compiled = brainstate.transform.jit(function).compile(*arguments)
    return int(compiled.memory_analysis().temp_size_in_bytes)
