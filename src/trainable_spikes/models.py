"""Networks built from brainpy.state parts, small enough to read in one go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import brainpy.state
import brainstate
import braintools
import brainunit as u
import jax

from trainable_spikes._checks import positive_integer, positive_quantity
from trainable_spikes.neurons import DetachedLIF
from trainable_spikes.readouts import FilteredReadout, current_weights


class SpikingClassifier(brainstate.nn.Module):
    r"""One hidden layer of leaky integrate-and-fire neurons between weights and a readout.

    Input spikes become synaptic currents, currents move membrane potentials, and hidden spikes
    reach the readout. For step :math:`t`, with input spikes :math:`x`, hidden spikes
    :math:`s` and the step function :math:`H` (whose derivative is the surrogate's):

    .. math::

        I_t &= e^{-\Delta t / \tau_\mathrm{syn}} I_{t-1} + W x_t + b \\
        V_t &= e^{-\Delta t / \tau_\mathrm{mem}} (V_{t-1} - V_\mathrm{th} s_{t-1})
              + (1 - e^{-\Delta t / \tau_\mathrm{mem}}) R I_t \\
        s_t &= H(V_t - V_\mathrm{th})

    for a soft reset; a hard reset returns the potential to rest instead of subtracting the
    threshold. The equations follow Neftci, Mostafa and Zenke (2019,
    doi:10.1109/MSP.2019.2931595), but the membrane is integrated as if the current were constant
    within a step. The bias :math:`b` acts like a spike in every step: with half the time step, it
    has twice the effect.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_hidden : int
        Number of hidden neurons.
    n_out : int
        Number of outputs.
    tau_synapse : brainunit.Quantity, default 5 ms
        Time constant of the synaptic current.
    tau_membrane : brainunit.Quantity, default 20 ms
        Membrane time constant.
    threshold : brainunit.Quantity, default 1 mV
        Spike threshold above the rest at 0 mV.
    surrogate : callable, optional
        One of ``braintools.surrogate``; ``ReluGrad()`` by default.
    reset : {"soft", "hard"}, default "soft"
        Whether a spike subtracts the threshold or returns the potential to rest.
    detach_reset : bool, default False
        Whether to use :class:`~trainable_spikes.DetachedLIF`, with no gradient through the reset.
    w_init : braintools.init.Initializer, optional
        Initializer of the input weights, in mA. The default, Kaiming-normal, leaves hidden
        neurons silent on sparse input; :func:`~trainable_spikes.fluctuation_driven` takes the
        input rate into account.
    weight_scale : float, default 1
        Factor on the initial input weights.
    readout : brainstate.nn.Module, optional
        Layer from hidden spikes ``[B, n_hidden]`` to outputs ``[B, n_out]``;
        :class:`~trainable_spikes.FilteredReadout` with 10 ms by default.

    Attributes
    ----------
    input : brainstate.nn.Linear
        Input weights, in mA.
    synapse : brainpy.state.Expon
        Synaptic currents, in mA.
    neuron : brainpy.state.LIF
        The hidden layer; ``neuron.V`` holds its membrane potentials.
    readout : brainstate.nn.Module
        The readout layer.

    Raises
    ------
    TypeError
        A quantity has a wrong unit.
    ValueError
        A quantity is not above zero, a size is not a positive integer, or `reset` is unknown.

    Examples
    --------
    >>> import brainstate, jax.numpy as jnp, brainunit as u
    >>> import trainable_spikes as ts
    >>> with brainstate.environ.context(dt=1. * u.ms):
    ...     network = ts.SpikingClassifier(n_in=100, n_hidden=20, n_out=2)
    ...     _ = brainstate.nn.init_all_states(network, batch_size=8)
    ...     network.update(jnp.ones((8, 100))).shape
    (8, 2)
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        tau_synapse: u.Quantity = 5.0 * u.ms,
        tau_membrane: u.Quantity = 20.0 * u.ms,
        threshold: u.Quantity = 1.0 * u.mV,
        surrogate: Callable[..., jax.Array] | None = None,
        reset: Literal["soft", "hard"] = "soft",
        detach_reset: bool = False,
        w_init: braintools.init.Initializer | None = None,
        weight_scale: float = 1.0,
        readout: brainstate.nn.Module | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("n_in", n_in), ("n_hidden", n_hidden), ("n_out", n_out)):
            positive_integer(name, size)
        positive_quantity("tau_synapse", tau_synapse, u.ms, "tau_synapse=5. * u.ms")
        positive_quantity("tau_membrane", tau_membrane, u.ms, "tau_membrane=20. * u.ms")
        positive_quantity("threshold", threshold, u.mV, "threshold=1. * u.mV")
        if reset not in ("soft", "hard"):
            raise ValueError(f'expected reset to be "soft" or "hard", got {reset!r}')
        self.n_in = n_in
        self.input = current_weights(n_in, n_hidden, w_init, weight_scale)
        self.synapse = brainpy.state.Expon(
            n_hidden, tau=tau_synapse, g_initializer=braintools.init.Constant(0.0 * u.mA)
        )
        self.neuron = (DetachedLIF if detach_reset else brainpy.state.LIF)(
            n_hidden,
            tau=tau_membrane,
            V_th=threshold,
            spk_fun=surrogate or braintools.surrogate.ReluGrad(),
            spk_reset=reset,
        )
        self.readout = readout or FilteredReadout(n_hidden, n_out)

    def update(self, spikes: jax.Array) -> jax.Array:
        """Advance one step.

        Parameters
        ----------
        spikes : jax.Array, shape ``[B, n_in]``
            Input spikes.

        Returns
        -------
        jax.Array, shape ``[B, n_out]``
            Outputs of the readout.

        Raises
        ------
        ValueError
            `spikes` is not of shape ``[B, n_in]``.
        """
        if spikes.ndim != 2 or spikes.shape[1] != self.n_in:
            raise ValueError(
                f"expected one step of input spikes of shape [B, {self.n_in}], got "
                f"{tuple(spikes.shape)}: loop over time with `rollout(network, inputs)`, "
                "inputs of shape [T, B, n_in]"
            )
        return self.readout(self.neuron(self.synapse(self.input(spikes))))
