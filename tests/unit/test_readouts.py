"""Readout layers against closed forms in NumPy, and reductions over time."""

from __future__ import annotations

from typing import Any

import brainpy.state
import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts

pytestmark = pytest.mark.usefixtures("dt")


def run(readout: brainstate.nn.Module, spikes: np.ndarray) -> jax.Array:
    brainstate.nn.init_all_states(readout, batch_size=spikes.shape[1])
    return ts.rollout(readout, jnp.asarray(spikes))


def gradient(readout: brainstate.nn.Module, spikes: np.ndarray, cotangent: np.ndarray) -> Any:
    weights = readout.states(brainstate.ParamState)
    return brainstate.transform.grad(lambda: jnp.sum(run(readout, spikes) * cotangent), weights)()


def mantissa(value: Any) -> np.ndarray:
    return np.asarray(value.mantissa if isinstance(value, u.Quantity) else value, np.float64)


def kernel(n_steps: int, tau: float) -> np.ndarray:
    """exp(-(t - s) / tau) from the past: what a step s leaves behind at step t."""
    lag = np.subtract.outer(np.arange(n_steps), np.arange(n_steps))
    return np.where(lag >= 0, np.exp(-lag / tau), 0)


@pytest.mark.parametrize(
    ("layer", "tau", "gain"),
    [
        (ts.FilteredReadout(6, 2), 10, 1),
        (ts.FilteredReadout(6, 2, tau=3.0 * u.ms), 3, 1),
        (ts.MembraneReadout(6, 2), 20, 1 - np.exp(-1 / 20)),
        (ts.MembraneReadout(6, 2, tau=8.0 * u.ms), 8, 1 - np.exp(-1 / 8)),
    ],
)
def test_linear_readouts_are_exponential_filters_of_weighted_spikes(
    layer: brainstate.nn.Module, tau: float, gain: float, spikes: Any
) -> None:
    hidden = spikes(20, 3, 6)
    cotangent = np.random.default_rng(0).normal(size=(20, 3, 2)).astype(np.float32)
    weight = mantissa(layer.weight.weight.value["weight"])
    filtered = gain * np.einsum("ts,sbi->tbi", kernel(20, tau), hidden)
    np.testing.assert_allclose(run(layer, hidden), filtered @ weight, rtol=1e-5, atol=1e-5)
    slope = gradient(layer, hidden, cotangent)["weight", "weight"]
    expected = np.einsum("tbi,tbj->ij", filtered, cotangent)
    np.testing.assert_allclose(mantissa(slope["weight"]), expected, rtol=1e-4, atol=1e-4)
    constant = gain * kernel(20, tau).sum(axis=1)
    expected = np.einsum("t,tbj->j", constant, cotangent)
    np.testing.assert_allclose(mantissa(slope["bias"]), expected, rtol=1e-4, atol=1e-4)


def test_filtered_readout_without_bias_is_the_librarys_leaky_rate_readout(spikes: Any) -> None:
    hidden = spikes(40, 3, 6)
    cotangent = np.random.default_rng(0).normal(size=(40, 3, 2)).astype(np.float32)
    ours = ts.FilteredReadout(6, 2, tau=10.0 * u.ms)
    theirs = brainpy.state.LeakyRateReadout(6, 2, tau=10.0 * u.ms)
    theirs.weight.value = ours.weight.weight.value["weight"]
    np.testing.assert_allclose(run(ours, hidden), run(theirs, hidden), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        gradient(ours, hidden, cotangent)["weight", "weight"]["weight"],
        gradient(theirs, hidden, cotangent)["weight",],
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize("tau", [5.0, 50.0])
def test_membrane_readout_keeps_the_height_of_a_constant_drive(tau: float) -> None:
    layer = ts.MembraneReadout(6, 2, tau=tau * u.ms)
    weight = mantissa(layer.weight.weight.value["weight"])
    last = run(layer, np.ones((int(20 * tau), 1, 6), np.float32))[-1, 0]
    np.testing.assert_allclose(last, weight.sum(axis=0), rtol=1e-4)


def test_spiking_readout_counts_rise_with_its_drive() -> None:
    layer = ts.SpikingReadout(1, 3)
    layer.weight.weight.value = {
        "weight": jnp.array([[0.5, 3.0, 12.0]]) * u.mA,
        "bias": jnp.zeros(3) * u.mA,
    }
    outputs = run(layer, np.ones((100, 1, 1), np.float32))
    assert set(np.unique(outputs)) == {0.0, 1.0}
    silent, some, many = ts.sum_over_time(outputs)[0]
    assert silent == 0  # half a threshold is never reached
    assert 0 < some < many


@pytest.mark.parametrize("layer", [ts.FilteredReadout, ts.MembraneReadout, ts.SpikingReadout])
def test_a_reset_readout_forgets_what_it_read(layer: type, spikes: Any) -> None:
    readout = layer(6, 2)
    hidden = spikes(20, 3, 6)
    first = run(readout, hidden)
    brainstate.nn.reset_all_states(readout, batch_size=3)
    np.testing.assert_array_equal(ts.rollout(readout, jnp.asarray(hidden)), first)


def test_membrane_readout_works_without_a_batch() -> None:
    readout = ts.MembraneReadout(6, 2)
    brainstate.nn.init_all_states(readout)
    assert readout.update(jnp.ones(6)).shape == (2,)
    brainstate.nn.reset_all_states(readout)
    assert readout.V.value.shape == (2,)


def test_spiking_readouts_weights_carry_their_scale() -> None:
    weights = []
    for scale in (1.0, 5.0):
        brainstate.random.seed(0)
        readout = ts.SpikingReadout(6, 2, weight_scale=scale)
        weights.append(mantissa(readout.weight.weight.value["weight"]))
    np.testing.assert_allclose(weights[1], 5 * weights[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [
        (ts.mean_over_time, lambda x: np.mean(x, axis=0)),
        (ts.last_step, lambda x: x[len(x) - 1]),
        (ts.max_over_time, lambda x: np.max(x, axis=0)),
        (ts.sum_over_time, lambda x: np.sum(x, axis=0)),
    ],
)
def test_reductions_run_over_the_first_axis(reduce: Any, expected: Any) -> None:
    outputs = np.random.default_rng(0).normal(size=(7, 3, 2)).astype(np.float32)
    np.testing.assert_allclose(reduce(jnp.asarray(outputs)), expected(outputs), rtol=1e-6)
