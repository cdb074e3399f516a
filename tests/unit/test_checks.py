"""Bad input is refused with what was expected, what came, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import brainstate
import braintools
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts
from trainable_spikes import _checks

# Everything that reads the time step, each called without one or with a bad one.
NEEDS_DT: dict[str, Callable[[], Any]] = {
    "Trainer": lambda: ts.Trainer(ts.SpikingClassifier(3, 2, 2), braintools.optim.Adam(lr=0.1)),
    "rollout": lambda: ts.rollout(ts.SpikingClassifier(3, 2, 2), jnp.ones((4, 2, 3))),
    "truncated_rollout": lambda: ts.truncated_rollout(
        ts.SpikingClassifier(3, 2, 2), jnp.ones((4, 2, 3)), window=2
    ),
    "fluctuation_driven": lambda: ts.fluctuation_driven(10, 5.0 * u.Hz),
    "record": lambda: ts.record(ts.SpikingClassifier(3, 2, 2), jnp.ones((4, 2, 3))),
    "poisson_spikes": lambda: ts.poisson_spikes(10, 5.0 * u.Hz),
    "latency_spikes": lambda: ts.latency_spikes(10, 5.0 * u.ms),
    "random_labels": lambda: ts.random_labels(4, 5, 3),
    "rate_patterns": lambda: ts.rate_patterns(4, seed=0),
}


@pytest.mark.parametrize("name", NEEDS_DT)
def test_missing_time_step_is_named_and_its_cure_shown(name: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        NEEDS_DT[name]()
    message = str(caught.value)
    assert "expected a time step in the environment, found none" in message
    assert "brainstate.environ.set(dt=1. * u.ms)" in message


@pytest.mark.parametrize("name", NEEDS_DT)
def test_time_step_without_a_unit_is_refused(name: str) -> None:
    with (
        brainstate.environ.context(dt=1.0),
        pytest.raises(TypeError, match=r"expected dt with a unit such as ms, got 1.0 without one"),
    ):
        NEEDS_DT[name]()


def test_time_step_in_another_unit_is_refused() -> None:
    with (
        brainstate.environ.context(dt=1.0 * u.mV),
        pytest.raises(TypeError, match=r"expected dt in a unit such as ms, got 1\.0? mV: write"),
    ):
        _checks.time_step()


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_time_step_that_goes_nowhere_is_refused(value: float) -> None:
    with (
        brainstate.environ.context(dt=value * u.ms),
        pytest.raises(ValueError, match="expected dt above zero, got"),
    ):
        _checks.time_step()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda x: ts.SpikingClassifier(3, 2, 2, tau_synapse=x * u.ms), "tau_synapse"),
        (lambda x: ts.SpikingClassifier(3, 2, 2, tau_membrane=x * u.ms), "tau_membrane"),
        (lambda x: ts.SpikingClassifier(3, 2, 2, threshold=x * u.mV), "threshold"),
        (lambda x: ts.FilteredReadout(3, 2, tau=x * u.ms), "tau"),
        (lambda x: ts.MembraneReadout(3, 2, tau=x * u.ms), "tau"),
        (lambda x: ts.SpikingReadout(3, 2, tau=x * u.ms), "tau"),
    ],
)
@pytest.mark.parametrize("value", [0.0, -5.0, float("nan")])
def test_quantities_that_are_not_above_zero_are_refused(
    make: Callable[[float], Any], name: str, value: float
) -> None:
    with pytest.raises(ValueError, match=rf"expected {name} above zero, got .*: write"):
        make(value)


def test_multiples_of_a_unit_are_as_good_as_the_unit(build: Callable, spikes: Callable) -> None:
    def run(dt: u.Quantity, tau: u.Quantity, threshold: u.Quantity) -> np.ndarray:
        with brainstate.environ.context(dt=dt):
            network = build(tau_membrane=tau, threshold=threshold)
            return np.asarray(ts.record(network, jnp.asarray(spikes(30, 2, 8))).outputs)

    expected = run(1.0 * u.ms, 10.0 * u.ms, 1.0 * u.mV)
    assert np.abs(expected).max() > 0.1
    other = run(0.001 * u.second, 10_000.0 * u.usecond, 0.001 * u.volt)
    np.testing.assert_allclose(other, expected, rtol=1e-4, atol=1e-5)
    with brainstate.environ.context(dt=0.001 * u.second):
        assert _checks.step_probability("rate", 0.05 * u.kHz) == pytest.approx(0.05)
        spikes = ts.latency_spikes(10, 0.005 * u.second)(jnp.full((1, 1), 1e-6))
        assert np.flatnonzero(spikes).tolist() == [5]


@pytest.mark.parametrize(
    ("make", "name", "example"),
    [
        (lambda x: ts.SpikingClassifier(3, 2, 2, tau_synapse=x), "tau_synapse", "5. * u.ms"),
        (lambda x: ts.SpikingClassifier(3, 2, 2, tau_membrane=x), "tau_membrane", "20. * u.ms"),
        (lambda x: ts.SpikingClassifier(3, 2, 2, threshold=x), "threshold", "1. * u.mV"),
        (lambda x: ts.FilteredReadout(3, 2, tau=x), "tau", "10. * u.ms"),
        (lambda x: ts.MembraneReadout(3, 2, tau=x), "tau", "20. * u.ms"),
        (lambda x: ts.SpikingReadout(3, 2, tau=x), "tau", "20. * u.ms"),
        (lambda x: ts.poisson_spikes(9, x), "max_rate", "5. * u.Hz"),
        (lambda x: ts.latency_spikes(9, x), "latest", "30. * u.ms"),
        (lambda x: ts.random_labels(4, 5, 3, rate=x), "rate", "5. * u.Hz"),
        (lambda x: ts.rate_patterns(4, low=x, seed=0), "low", "5. * u.Hz"),
        (lambda x: ts.rate_patterns(4, high=x, seed=0), "high", "5. * u.Hz"),
    ],
)
@pytest.mark.usefixtures("dt")
def test_quantity_without_or_with_a_wrong_unit_is_refused(
    make: Callable, name: str, example: str
) -> None:
    with pytest.raises(TypeError) as without:
        make(7.0)
    assert f"expected {name} with a unit such as" in str(without.value)
    assert "got 7.0 without one" in str(without.value)
    assert f"write `{name}={example}`" in str(without.value)
    with pytest.raises(TypeError) as wrong:
        make(7.0 * u.mA)
    assert f"expected {name} in a unit such as" in str(wrong.value)
    assert re.search(r"got 7\.0? mA: ", str(wrong.value))
    assert f"write `{name}={example}`" in str(wrong.value)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda n: ts.SpikingClassifier(n, 2, 2), "n_in"),
        (lambda n: ts.SpikingClassifier(3, n, 2), "n_hidden"),
        (lambda n: ts.SpikingClassifier(3, 2, n), "n_out"),
        (lambda n: ts.poisson_spikes(n, 5.0 * u.Hz), "n_steps"),
        (lambda n: ts.latency_spikes(n, 5.0 * u.ms), "n_steps"),
        (lambda n: ts.randman(4, dimension=n, seed=0), "dimension"),
    ],
)
@pytest.mark.parametrize("value", [0, -2, 1.5, True, "3"])
@pytest.mark.usefixtures("dt")
def test_sizes_that_are_not_positive_integers_are_refused(
    make: Callable, name: str, value: Any
) -> None:
    with pytest.raises(ValueError, match=f"{name} .* integer of at least 1, got {value!r}"):
        make(value)


def test_sizes_from_numpy_are_integers_too() -> None:
    ts.SpikingClassifier(np.int64(3), np.int32(2), np.uint8(2))


@pytest.mark.parametrize("rate", [-1.0, 1001.0])
@pytest.mark.usefixtures("dt")
def test_rate_of_less_than_none_or_more_than_one_spike_a_step_is_refused(rate: float) -> None:
    for make in (lambda rate: ts.poisson_spikes(9, rate), lambda rate: ts.random_labels(rate=rate)):
        with pytest.raises(ValueError, match=r"expected 0 <= \w*rate \* dt <= 1, got .*so lower"):
            make(rate * u.Hz)


def test_losses_refuse_targets_of_the_other_kind() -> None:
    with pytest.raises(TypeError, match=r"expected integer labels, got float32: convert them"):
        ts.cross_entropy(jnp.zeros((4, 2)), jnp.zeros(4))
    # Broadcasting [4, 1] with [4] would compare every score with every target.
    with pytest.raises(ValueError, match=r"of the scores' shape \(4, 1\), got \(4"):
        ts.squared_error(jnp.zeros((4, 1)), jnp.zeros(4))
