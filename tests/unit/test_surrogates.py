"""The gradient that flows through a spike is the surrogate's formula, for each surrogate."""

from __future__ import annotations

import inspect

import brainpy.state
import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts


def gaussian(x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


# Written from the definitions, at the classes' defaults, in double precision.
FORMULAS = {
    "Arctan": lambda x: 2 / (4 + (np.pi * x) ** 2),
    "ERF": lambda x: np.exp(-(x**2)) / np.sqrt(np.pi),
    "GaussianGrad": lambda x: 0.5 * gaussian(x, 0, 0.5),
    "InvSquareGrad": lambda x: (1 + 100 * np.abs(x)) ** -2.0,
    "LeakyRelu": lambda x: 0.1 + 0.9 * (x >= 0),
    "LogTailedRelu": lambda x: (x > 0) / np.maximum(x, 1),
    "MultiGaussianGrad": lambda x: (
        0.5
        * (1.15 * gaussian(x, 0, 0.5) - 0.15 * gaussian(x, 0.5, 3) - 0.15 * gaussian(x, -0.5, 3))
    ),
    "NonzeroSignLog": lambda x: 1 / (1 + np.abs(x)),
    "PiecewiseExp": lambda x: 0.5 / np.exp(np.abs(x)),
    "PiecewiseLeakyRelu": lambda x: np.where(np.abs(x) <= 1, 0.5, 0.01),
    "PiecewiseQuadratic": lambda x: np.clip(1 - np.abs(x), 0, None),
    "QPseudoSpike": lambda x: (1 + np.abs(x) / 1.5) ** -2.0,
    "ReluGrad": lambda x: 0.3 * np.clip(1 - np.abs(x), 0, None),
    "S2NN": lambda x: np.where(x < 0, np.cosh(2 * x) ** -2.0, 1 / (1 + np.abs(x))),
    "Sigmoid": lambda x: np.cosh(2 * x) ** -2.0,  # 4 p (1 - p) of the logistic p of 4 x
    "SlayerGrad": lambda x: np.exp(-np.abs(x)),
    "SoftSign": lambda x: 0.5 / (1 + np.abs(x)) ** 2,
    "SquarewaveFourierSeries": lambda x: 0.5 * (np.cos(np.pi * x / 4) + np.cos(np.pi * x * 0.75)),
}

# On both sides of threshold, at it, and at and beyond the corners of every formula.
DISTANCES = np.concatenate([np.linspace(-4, 4, 81), [-1.0, -1e-3, 0.0, 1e-3, 1.0, 1.01, -1.01]])


def classes() -> dict[str, type]:
    module = braintools.surrogate
    found = inspect.getmembers(module, inspect.isclass)
    return {
        name: found_class
        for name, found_class in found
        if issubclass(found_class, module.Surrogate) and found_class is not module.Surrogate
    }


def test_every_surrogate_of_the_library_has_a_formula_here() -> None:
    assert set(classes()) == set(FORMULAS)


@pytest.mark.parametrize("name", FORMULAS)
def test_gradient_of_a_spike_is_the_surrogates_formula(name: str) -> None:
    spike = classes()[name]()
    distance = jnp.asarray(DISTANCES, jnp.float32)
    value, pull_back = jax.vjp(spike, distance)
    (gradient,) = pull_back(jnp.ones_like(distance))
    np.testing.assert_array_equal(value, DISTANCES >= 0)
    expected = FORMULAS[name](np.asarray(distance, np.float64))
    np.testing.assert_allclose(gradient, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["ReluGrad", "Sigmoid", "InvSquareGrad"])
def test_neuron_scales_the_surrogate_by_its_threshold(name: str) -> None:
    # Distance is measured in thresholds: dS/dV = g((V - V_th) / V_th) / V_th.
    threshold = 2.5
    neuron = brainpy.state.LIF(9, V_th=threshold * u.mV, spk_fun=classes()[name]())
    potential = jnp.linspace(-1, 6, 9)
    gradient = jax.grad(lambda v: neuron.get_spike(v * u.mV).sum())(potential)
    expected = FORMULAS[name]((np.asarray(potential, np.float64) - threshold) / threshold)
    np.testing.assert_allclose(gradient, expected / threshold, rtol=1e-5, atol=1e-7)


def test_networks_use_relu_grad_unless_told_otherwise(dt: u.Quantity) -> None:
    other = braintools.surrogate.Arctan()
    assert isinstance(ts.SpikingClassifier(3, 2, 2).neuron.spk_fun, braintools.surrogate.ReluGrad)
    assert ts.SpikingClassifier(3, 2, 2, surrogate=other).neuron.spk_fun is other
    assert isinstance(ts.SpikingReadout(2, 2).neuron.spk_fun, braintools.surrogate.ReluGrad)
    assert ts.SpikingReadout(2, 2, surrogate=other).neuron.spk_fun is other


def test_surrogate_with_compact_support_passes_nothing_back_from_silent_neurons(
    dt: u.Quantity,
) -> None:
    # Inhibited below rest, a neuron is more than one threshold away: ReluGrad is zero there.
    gradients = {}
    for name in ("ReluGrad", "Sigmoid"):
        network = ts.SpikingClassifier(3, 2, 2, surrogate=classes()[name]())
        inhibition = {"weight": jnp.full((3, 2), -5.0) * u.mA, "bias": jnp.zeros(2) * u.mA}
        network.input.weight.value = inhibition
        weights = network.input.states(brainstate.ParamState)
        brainstate.nn.init_all_states(network, batch_size=1)

        def total(network: ts.SpikingClassifier = network) -> jax.Array:
            return ts.rollout(network, jnp.ones((5, 1, 3))).sum()

        gradient = brainstate.transform.grad(total, weights)()
        gradients[name] = sum(float(jnp.abs(x).sum()) for x in jax.tree.leaves(gradient))
    assert gradients["ReluGrad"] == 0
    assert gradients["Sigmoid"] > 0
