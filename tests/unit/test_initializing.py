"""Theory of the membrane fluctuation against a sum over the kernel and against simulation."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts


def kernel(tau_synapse: float, tau_membrane: float, dt: float, n_steps: int = 4000) -> np.ndarray:
    """Response of the potential to one spike of weight 1 mA, by stepping the two equations."""
    a, b = np.exp(-dt / tau_membrane), np.exp(-dt / tau_synapse)
    response, current, potential = np.zeros(n_steps), 1.0, 0.0
    for k in range(n_steps):
        potential = a * potential + (1 - a) * current
        response[k], current = potential, b * current
    return response


@pytest.mark.parametrize(("tau_synapse", "tau_membrane", "dt"), [(5, 20, 1), (10, 10, 0.5)])
def test_mean_and_deviation_are_sums_over_the_kernel(
    tau_synapse: float, tau_membrane: float, dt: float
) -> None:
    weight = np.array([[1.0, -2.0], [3.0, 0.5]])
    with brainstate.environ.context(dt=dt * u.ms):
        mean, deviation = ts.membrane_statistics(
            weight * u.mA,
            20.0 * u.Hz,
            tau_synapse=tau_synapse * u.ms,
            tau_membrane=tau_membrane * u.ms,
        )
    p, response = 0.02 * dt, kernel(tau_synapse, tau_membrane, dt)
    np.testing.assert_allclose(
        mean.to_decimal(u.mV), p * weight.sum(axis=0) * response.sum(), rtol=1e-6
    )
    variance = p * (1 - p) * (weight**2).sum(axis=0) * (response**2).sum()
    np.testing.assert_allclose(deviation.to_decimal(u.mV), np.sqrt(variance), rtol=1e-6)


@pytest.mark.usefixtures("dt")
def test_simulated_potentials_fluctuate_as_predicted() -> None:
    brainstate.random.seed(0)
    rate, n_in = 20.0 * u.Hz, 100
    w_init = ts.fluctuation_driven(n_in, rate)
    network = ts.SpikingClassifier(n_in, 30, 2, w_init=w_init, threshold=1e6 * u.mV)
    data = ts.random_labels(64, 400, n_in, rate=rate, seed=0)
    potential = ts.record(network, jnp.swapaxes(data.inputs, 0, 1)).potential.to_decimal(u.mV)
    settled = np.asarray(potential)[100:]
    weight = network.input.weight.value["weight"]
    mean, deviation = ts.membrane_statistics(weight, rate)
    ratio = settled.std(axis=(0, 1)) / deviation.to_decimal(u.mV)
    assert abs(ratio.mean() - 1) < 0.05
    np.testing.assert_allclose(settled.mean(axis=(0, 1)), mean.to_decimal(u.mV), atol=0.2)


@pytest.mark.parametrize(("distance", "threshold"), [(1.0, 1.0), (2.0, 1.0), (1.0, 10.0)])
@pytest.mark.usefixtures("dt")
def test_threshold_is_the_wanted_number_of_deviations_away(
    distance: float, threshold: float
) -> None:
    brainstate.random.seed(0)
    rate, n_in = 5.0 * u.Hz, 400
    w_init = ts.fluctuation_driven(n_in, rate, distance=distance, threshold=threshold * u.mV)
    _, deviation = ts.membrane_statistics(w_init((n_in, 300)), rate)
    found = threshold / np.sqrt((deviation.to_decimal(u.mV) ** 2).mean())
    assert found == pytest.approx(distance, rel=0.03)


@pytest.mark.parametrize("settings", [{"distance": 0.0}, {"rate": 0.0}, {"rate": 1000.0}])
@pytest.mark.usefixtures("dt")
def test_inputs_that_make_nothing_fluctuate_are_refused(settings: dict[str, float]) -> None:
    rate = settings.pop("rate", 5.0) * u.Hz
    with pytest.raises(ValueError, match=r"expected 0 < rate \* dt < 1 and distance > 0, got"):
        ts.fluctuation_driven(10, rate, **settings)
