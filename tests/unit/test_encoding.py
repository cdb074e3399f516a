"""Encoders against their definitions."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts

pytestmark = pytest.mark.usefixtures("dt")


def test_time_first_swaps_samples_and_time_and_nothing_else() -> None:
    batch = np.arange(24).reshape(2, 3, 4)
    encoded = np.asarray(ts.time_first(jnp.asarray(batch)))
    assert encoded.shape == (3, 2, 4)
    for b in range(2):
        for t in range(3):
            np.testing.assert_array_equal(encoded[t, b], batch[b, t])


def test_poisson_rates_are_intensity_times_maximal_rate() -> None:
    # 200 Hz at steps of 1 ms: at intensity x, a spike a step has the chance 0.2 x.
    intensity = jnp.array([[0.0, 0.1, 0.5, 1.0], [1.0, 0.9, 0.25, 0.0]])
    spikes = np.asarray(ts.poisson_spikes(20_000, 200.0 * u.Hz)(intensity, jax.random.key(1)))
    assert spikes.shape == (20_000, 2, 4)
    assert spikes.dtype == np.float32
    assert set(np.unique(spikes)) == {0.0, 1.0}
    chance = 0.2 * np.asarray(intensity, np.float64)
    error = np.sqrt(chance * (1 - chance) / 20_000)
    assert np.all(np.abs(spikes.mean(axis=0) - chance) <= 4.5 * error)


def test_poisson_rate_is_kept_when_the_step_changes() -> None:
    with brainstate.environ.context(dt=0.25 * u.ms):
        encode = ts.poisson_spikes(20_000, 200.0 * u.Hz)
    share = float(encode(jnp.ones((1, 1)), jax.random.key(0)).mean())
    assert abs(share - 0.05) < 4.5 * np.sqrt(0.05 * 0.95 / 20_000)


def test_poisson_steps_neurons_and_samples_are_independent() -> None:
    spikes = np.asarray(ts.poisson_spikes(5000, 500.0 * u.Hz)(jnp.ones((2, 2)), jax.random.key(0)))
    columns = [*spikes.reshape(5000, 4).T, np.roll(spikes[:, 0, 0], 1)]
    correlation = np.corrcoef(columns)
    assert np.abs(correlation - np.eye(5)).max() < 4.5 / np.sqrt(5000)


def test_poisson_spikes_follow_their_key() -> None:
    encode, intensity = ts.poisson_spikes(50, 200.0 * u.Hz), jnp.full((3, 4), 0.5)
    first = encode(intensity, jax.random.key(0))
    np.testing.assert_array_equal(encode(intensity, jax.random.key(0)), first)
    assert (encode(intensity, jax.random.key(1)) != first).any()


def test_latency_is_one_spike_at_one_minus_intensity_of_the_latest_time() -> None:
    intensity = np.random.default_rng(0).uniform(0.01, 1, (5, 40)).astype(np.float32)
    spikes = np.asarray(ts.latency_spikes(50, 30.0 * u.ms)(jnp.asarray(intensity)))
    assert spikes.shape == (50, 5, 40)
    np.testing.assert_array_equal(spikes.sum(axis=0), 1)
    time = (np.arange(50)[:, None, None] * spikes).sum(axis=0)  # in steps of 1 ms
    assert np.abs(time - (1 - intensity) * 30).max() <= 0.5 + 1e-4


def test_stronger_intensities_never_spike_later() -> None:
    intensity = jnp.linspace(0.001, 1, 100)[None]
    spikes = ts.latency_spikes(40, 30.0 * u.ms)(intensity)
    time = np.asarray(spikes).argmax(axis=0)[0]
    assert time[0] == 30
    assert time[-1] == 0
    assert (np.diff(time) <= 0).all()


def test_latency_counts_in_time_not_in_steps() -> None:
    with brainstate.environ.context(dt=0.5 * u.ms):
        spikes = ts.latency_spikes(50, 10.0 * u.ms)(jnp.array([[0.5]]))
    assert np.flatnonzero(spikes).tolist() == [10]  # 5 ms


def test_intensities_at_or_below_threshold_stay_silent() -> None:
    intensity = jnp.array([[0.0, 0.2, 0.200001, 0.9]])
    counts = ts.latency_spikes(20, 10.0 * u.ms, threshold=0.2)(intensity).sum(axis=0)[0]
    np.testing.assert_array_equal(counts, [0, 0, 1, 1])
    counts = ts.latency_spikes(20, 10.0 * u.ms)(intensity).sum(axis=0)[0]
    np.testing.assert_array_equal(counts, [0, 1, 1, 1])


@pytest.mark.usefixtures("dt")
def test_latency_of_bytes_is_that_of_the_same_numbers() -> None:
    encode = ts.latency_spikes(10, 9.0 * u.ms)
    values = np.array([[0, 1, 2, 255]], np.uint8)
    np.testing.assert_array_equal(encode(values), encode(values.astype(np.float32)))


def test_latest_spike_may_fall_on_the_last_step_but_not_beyond() -> None:
    spikes = ts.latency_spikes(11, 10.0 * u.ms)(jnp.array([[1e-6]]))
    assert np.flatnonzero(spikes).tolist() == [10]
    for latest in (11.0, -1.0):
        with pytest.raises(ValueError, match=r"within 11 steps of 1.0? ms, got latest.*raise n"):
            ts.latency_spikes(11, latest * u.ms)
