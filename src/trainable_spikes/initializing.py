r"""Initial weights from the membrane fluctuation that they cause.

An input spike moves the potential behind an exponential synapse, :math:`k` steps later, by its
weight times :math:`\epsilon_k = R (1 - a) \sum_{j \le k} a^{k-j} b^j`, where
:math:`a = e^{-\Delta t / \tau_\mathrm{mem}}` and :math:`b = e^{-\Delta t / \tau_\mathrm{syn}}`.
Means and variances of independent inputs add up. This is the theory of Rossbroich, Gygax and
Zenke (2022, doi:10.1088/2634-4386/ac97bb), in time steps instead of continuous time.
"""

from __future__ import annotations

import math

import braintools
import brainunit as u
import numpy as np

from trainable_spikes import _checks


def fluctuation_driven(
    n_in: int,
    rate: u.Quantity,
    *,
    distance: float = 1.0,
    tau_synapse: u.Quantity = 5.0 * u.ms,
    tau_membrane: u.Quantity = 20.0 * u.ms,
    threshold: u.Quantity = 1.0 * u.mV,
) -> braintools.init.Normal:
    r"""Choose normal weights that make the potential fluctuate up to the threshold.

    For inputs that spike with probability :math:`p` in a step, weights have mean zero and
    standard deviation :math:`(V_\mathrm{th} / \xi) / \sqrt{n p (1 - p) \sum_k \epsilon_k^2}`,
    where :math:`\xi` is `distance`. The source is Rossbroich, Gygax and Zenke (2022,
    doi:10.1088/2634-4386/ac97bb).

    Parameters
    ----------
    n_in : int
        Number of inputs of a neuron.
    rate : brainunit.Quantity
        Mean firing rate of an input.
    distance : float, default 1
        Distance from rest to threshold, in standard deviations of the potential.
    tau_synapse : brainunit.Quantity, default 5 ms
        Time constant of the synaptic current.
    tau_membrane : brainunit.Quantity, default 20 ms
        Membrane time constant.
    threshold : brainunit.Quantity, default 1 mV
        Spike threshold above the resting potential.

    Returns
    -------
    braintools.init.Normal
        Initializer in mA, for ``SpikingClassifier(w_init=...)`` or ``Linear``.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        A quantity has a wrong unit.
    ValueError
        A value is not above zero, or inputs spike in every step.

    Examples
    --------
    >>> import brainstate, brainunit as u
    >>> import trainable_spikes as ts
    >>> with brainstate.environ.context(dt=1. * u.ms):
    ...     w_init = ts.fluctuation_driven(100, 5. * u.Hz)
    ...     network = ts.SpikingClassifier(100, 50, 2, w_init=w_init)
    """
    _checks.positive_integer("n_in", n_in)
    _checks.positive_quantity("threshold", threshold, u.mV, "threshold=1. * u.mV")
    p = _checks.step_probability("rate", rate)
    if not 0 < p < 1 or not distance > 0:
        raise ValueError(
            f"expected 0 < rate * dt < 1 and distance > 0, got {p:g} and {distance!r}: such input "
            "makes no potential fluctuate"
        )
    wanted = float(threshold.to_decimal(u.mV)) / distance
    _, squares = _kernel_sums(tau_synapse, tau_membrane)
    deviation = wanted / math.sqrt(n_in * p * (1 - p) * squares)
    return braintools.init.Normal(0.0 * u.mA, deviation * u.mA)


def membrane_statistics(
    weight: u.Quantity,
    rate: u.Quantity,
    *,
    tau_synapse: u.Quantity = 5.0 * u.ms,
    tau_membrane: u.Quantity = 20.0 * u.ms,
) -> tuple[u.Quantity, u.Quantity]:
    r"""Predict the mean and standard deviation of membrane potentials without a threshold.

    For inputs that spike with probability :math:`p` in a step, the potential of neuron :math:`j`
    has mean :math:`p \sum_i w_{ij} \sum_k \epsilon_k` and variance
    :math:`p (1 - p) \sum_i w_{ij}^2 \sum_k \epsilon_k^2`. The source is Rossbroich, Gygax and
    Zenke (2022, doi:10.1088/2634-4386/ac97bb).

    Parameters
    ----------
    weight : brainunit.Quantity, shape ``[n_in, n_hidden]``
        Input weights in mA.
    rate : brainunit.Quantity
        Mean firing rate of every input; inputs spike independently.
    tau_synapse : brainunit.Quantity, default 5 ms
        Time constant of the synaptic current.
    tau_membrane : brainunit.Quantity, default 20 ms
        Membrane time constant.

    Returns
    -------
    mean, deviation : brainunit.Quantity, shape ``[n_hidden]``
        In mV, once the initial state is forgotten.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        A quantity has a wrong unit.
    ValueError
        A time constant is not above zero, or `rate` is below zero or above one spike per step.
    """
    _checks.quantity("weight", weight, u.mA, "weight=w * u.mA")
    p = _checks.step_probability("rate", rate)
    w = np.asarray(weight.to_decimal(u.mA), np.float64)
    total, squares = _kernel_sums(tau_synapse, tau_membrane)
    variance = p * (1 - p) * (w**2).sum(axis=0) * squares
    return p * w.sum(axis=0) * total * u.mV, np.sqrt(variance) * u.mV


def _kernel_sums(tau_synapse: u.Quantity, tau_membrane: u.Quantity) -> tuple[float, float]:
    """Sum of the kernel and of its square, in ohm and ohm squared, for a resistance of 1 ohm."""
    _checks.positive_quantity("tau_synapse", tau_synapse, u.ms, "tau_synapse=5. * u.ms")
    _checks.positive_quantity("tau_membrane", tau_membrane, u.ms, "tau_membrane=20. * u.ms")
    dt = float(_checks.time_step().to_decimal(u.ms))
    a = math.exp(-dt / float(tau_membrane.to_decimal(u.ms)))
    b = math.exp(-dt / float(tau_synapse.to_decimal(u.ms)))
    # Two filters in a row, (1 - a) / ((1 - a z) (1 - b z)): sum at z = 1, and energy.
    squares = (1 - a) ** 2 * (1 + a * b) / ((1 - a * b) * (1 - a**2) * (1 - b**2))
    return 1 / (1 - b), squares
