"""Layers that turn hidden spikes into outputs, and functions that reduce outputs over time.

A *readout layer* is a module applied at every step, from spikes ``[B, n_hidden]`` to outputs
``[B, n_out]``; ``brainpy.state.LeakyRateReadout`` can take the place of any of these. A
*reduction* turns the outputs of all steps, ``[T, B, n_out]``, into one score for each sample and
output.
"""

from __future__ import annotations

from collections.abc import Callable

import brainpy.state
import brainstate
import braintools
import brainunit as u
import jax

from trainable_spikes._checks import positive_integer, positive_quantity


def mean_over_time(outputs: jax.Array) -> jax.Array:
    """Average outputs over time.

    Parameters
    ----------
    outputs : jax.Array, shape ``[T, B, n_out]``
        Outputs of the network at every time step.

    Returns
    -------
    jax.Array, shape ``[B, n_out]``
        Mean of each output of each sample.
    """
    return outputs.mean(axis=0)


def last_step(outputs: jax.Array) -> jax.Array:
    """Keep the outputs of the last step.

    Parameters
    ----------
    outputs : jax.Array, shape ``[T, B, n_out]``
        Outputs of the network at every time step.

    Returns
    -------
    jax.Array, shape ``[B, n_out]``
        Last value of each output of each sample.
    """
    return outputs[-1]


def max_over_time(outputs: jax.Array) -> jax.Array:
    """Keep the largest output over time.

    Parameters
    ----------
    outputs : jax.Array, shape ``[T, B, n_out]``
        Outputs of the network at every time step.

    Returns
    -------
    jax.Array, shape ``[B, n_out]``
        Largest value of each output of each sample.
    """
    return outputs.max(axis=0)


def sum_over_time(outputs: jax.Array) -> jax.Array:
    """Sum outputs over time, which turns spikes into counts.

    Parameters
    ----------
    outputs : jax.Array, shape ``[T, B, n_out]``
        Outputs of the network at every time step.

    Returns
    -------
    jax.Array, shape ``[B, n_out]``
        Sum of each output of each sample.
    """
    return outputs.sum(axis=0)


def current_weights(
    n_in: int, n_out: int, w_init: braintools.init.Initializer | None = None, scale: float = 1.0
) -> brainstate.nn.Linear:
    """Return a ``Linear`` layer in mA with zero bias, Kaiming-normal unless `w_init` is given."""
    w_init = (w_init or braintools.init.KaimingNormal(unit=u.mA)) * scale
    b_init = braintools.init.ZeroInit(unit=u.mA)
    return brainstate.nn.Linear(n_in, n_out, w_init=w_init, b_init=b_init)


class FilteredReadout(brainstate.nn.Module):
    r"""Multiply spikes by weights and filter the result exponentially.

    .. math:: y_t = e^{-\Delta t / \tau} y_{t-1} + W s_t + b

    Without its bias, it computes the same as ``brainpy.state.LeakyRateReadout``.

    Parameters
    ----------
    n_in : int
        Number of hidden neurons.
    n_out : int
        Number of outputs.
    tau : brainunit.Quantity, default 10 ms
        Time constant of the filter.

    Raises
    ------
    TypeError
        `tau` is not a time.
    ValueError
        `tau` is not above zero, or `n_out` is not a positive integer.
    """

    def __init__(self, n_in: int, n_out: int, tau: u.Quantity = 10.0 * u.ms) -> None:
        super().__init__()
        positive_integer("n_out", n_out)
        positive_quantity("tau", tau, u.ms, "tau=10. * u.ms")
        self.weight = brainstate.nn.Linear(n_in, n_out, w_init=braintools.init.KaimingNormal())
        self.filter = brainpy.state.Expon(
            n_out, tau=tau, g_initializer=braintools.init.Constant(0.0)
        )

    def update(self, spikes: jax.Array) -> jax.Array:
        """Advance one step.

        Parameters
        ----------
        spikes : jax.Array, shape ``[B, n_in]``
            Spikes of the hidden layer.

        Returns
        -------
        jax.Array, shape ``[B, n_out]``
            Filtered outputs.
        """
        return self.filter(self.weight(spikes))


class MembraneReadout(brainstate.nn.Module):
    r"""Read the membrane potential of leaky integrators that never spike.

    .. math:: V_t = e^{-\Delta t / \tau} V_{t-1} + (1 - e^{-\Delta t / \tau}) \, R \, (W s_t + b)

    It differs from :class:`FilteredReadout` by the factor :math:`1 - e^{-\Delta t / \tau}`,
    which keeps a constant drive at the same height whatever the time constant.

    Parameters
    ----------
    n_in : int
        Number of hidden neurons.
    n_out : int
        Number of outputs.
    tau : brainunit.Quantity, default 20 ms
        Membrane time constant.

    Raises
    ------
    TypeError
        `tau` is not a time.
    ValueError
        `tau` is not above zero, or `n_out` is not a positive integer.
    """

    def __init__(self, n_in: int, n_out: int, tau: u.Quantity = 20.0 * u.ms) -> None:
        super().__init__()
        positive_integer("n_out", n_out)
        positive_quantity("tau", tau, u.ms, "tau=20. * u.ms")
        self.weight = current_weights(n_in, n_out)
        self.tau, self.n_out, self.resistance = tau, n_out, 1.0 * u.ohm

    def init_state(self, batch_size: int | None = None, **kwargs: object) -> None:
        """Create the membrane potential, at rest.

        Parameters
        ----------
        batch_size : int, optional
            Number of samples ``B``; without it, the state has no batch axis.
        **kwargs : object
            Ignored.
        """
        self.V = brainstate.HiddenState(self._rest(batch_size))

    def reset_state(self, batch_size: int | None = None, **kwargs: object) -> None:
        """Set the membrane potential back to rest.

        Parameters
        ----------
        batch_size : int, optional
            Number of samples ``B``; without it, the state has no batch axis.
        **kwargs : object
            Ignored.
        """
        self.V.value = self._rest(batch_size)

    def _rest(self, batch_size: int | None) -> u.Quantity:
        batch = () if batch_size is None else (batch_size,)
        return u.math.zeros((*batch, self.n_out)) * u.mV

    def update(self, spikes: jax.Array) -> jax.Array:
        """Advance one step.

        Parameters
        ----------
        spikes : jax.Array, shape ``[B, n_in]``
            Spikes of the hidden layer.

        Returns
        -------
        jax.Array, shape ``[B, n_out]``
            Membrane potentials in mV, as plain numbers.
        """
        drive = self.resistance * self.weight(spikes)
        self.V.value = brainstate.nn.exp_euler_step(
            lambda potential: (drive - potential) / self.tau, self.V.value
        )
        return self.V.value.to_decimal(u.mV)


class SpikingReadout(brainstate.nn.Module):
    """Drive output neurons that spike, ``LIF`` behind weights in mA; their counts are the scores.

    Parameters
    ----------
    n_in : int
        Number of hidden neurons.
    n_out : int
        Number of output neurons.
    tau : brainunit.Quantity, default 20 ms
        Membrane time constant.
    surrogate : callable, optional
        One of ``braintools.surrogate``; ``ReluGrad()`` by default.
    weight_scale : float, default 1
        Factor on the Kaiming-normal initial weights.

    Raises
    ------
    TypeError
        `tau` is not a time.
    ValueError
        `tau` is not above zero, or `n_out` is not a positive integer.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        tau: u.Quantity = 20.0 * u.ms,
        surrogate: Callable[..., jax.Array] | None = None,
        weight_scale: float = 1.0,
    ) -> None:
        super().__init__()
        positive_integer("n_out", n_out)
        positive_quantity("tau", tau, u.ms, "tau=20. * u.ms")
        self.weight = current_weights(n_in, n_out, scale=weight_scale)
        self.neuron = brainpy.state.LIF(
            n_out, tau=tau, spk_fun=surrogate or braintools.surrogate.ReluGrad()
        )

    def update(self, spikes: jax.Array) -> jax.Array:
        """Advance one step.

        Parameters
        ----------
        spikes : jax.Array, shape ``[B, n_in]``
            Spikes of the hidden layer.

        Returns
        -------
        jax.Array, shape ``[B, n_out]``
            Output spikes, 0 or 1.
        """
        return self.neuron(self.weight(spikes))
