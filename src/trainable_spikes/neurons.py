"""Neurons that brainpy.state lacks."""

from __future__ import annotations

import brainpy.state
import brainstate
import brainunit as u
import jax


class DetachedLIF(brainpy.state.LIF):
    r"""A leaky integrate-and-fire neuron whose gradient does not pass through its reset.

    Its spikes and potentials are those of ``brainpy.state.LIF``, bit for bit. In the backward pass,
    the spike that resets the potential is a constant, and the spike that the neuron sends keeps its
    surrogate. From one step to the next, with :math:`a = e^{-\Delta t / \tau}`, the gradient of the
    potential carries the factor

    .. math::

        \text{soft: } \frac{\partial V_{t+1}}{\partial V_t} = a
        \qquad
        \text{hard: } \frac{\partial V_{t+1}}{\partial V_t} = a \, (1 - s_t)

    while that of ``LIF`` also contains the slope of the surrogate (Zenke and Vogels 2021,
    doi:10.1162/neco_a_01367).

    Parameters
    ----------
    *args, **kwargs : Any
        Arguments of ``brainpy.state.LIF``; ``spk_reset`` is ``"soft"`` or ``"hard"``.
    """

    def update(self, x: u.Quantity = 0.0 * u.mA) -> jax.Array:
        """Advance one step.

        Parameters
        ----------
        x : brainunit.Quantity, shape ``[B, n]``, default 0 mA
            Input currents.

        Returns
        -------
        jax.Array, shape ``[B, n]``
            Spikes, 0 or 1.
        """
        before = self.V.value
        spike = jax.lax.stop_gradient(self.get_spike(before))
        resets_from = self.V_th if self.spk_reset == "soft" else before

        def change(v: u.Quantity) -> u.Quantity:
            return (-v + self.V_rest + self.R * self.sum_current_inputs(x, v)) / self.tau

        after_reset = before - (resets_from - self.V_reset) * spike
        integrated = brainstate.nn.exp_euler_step(change, after_reset)
        self.V.value = self.sum_delta_inputs(integrated)
        return self.get_spike(self.V.value)
