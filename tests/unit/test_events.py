"""The fast path for sparse input computes what the plain path computes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts
from trainable_spikes import events as fast_path
from trainable_spikes.events import (
    EventClassifier,
    event_currents,
    event_lists,
    event_lists_from_times,
    whole_trial,
)


def spikes_of(events: np.ndarray, n_steps: int, n_in: int) -> np.ndarray:
    """Count events entry by entry, with NumPy, as an independent reference."""
    spikes = np.zeros((len(events), n_steps * n_in + 1))
    for sample, row in enumerate(events):
        np.add.at(spikes[sample], row, 1)
    return spikes[:, :-1].reshape(len(events), n_steps, n_in)


def loss_and_gradients(
    scores: Callable[[Any], jax.Array], network: Any, inputs: Any
) -> tuple[float, dict[Any, Any]]:
    @brainstate.transform.jit
    def run(inputs: jax.Array) -> Any:
        def loss() -> jax.Array:
            outputs = scores(inputs)
            targets = jnp.arange(outputs.size).reshape(outputs.shape) / 10
            return jnp.mean(jnp.square(outputs - targets))

        weights = network.states(brainstate.ParamState)
        return brainstate.transform.grad(loss, weights, return_value=True)()

    gradients, loss = run(inputs)
    return float(loss), {
        (*name, part): np.asarray(u.get_mantissa(value))
        for name, parts in gradients.items()
        for part, value in parts.items()
    }


def compare_paths(network: ts.SpikingClassifier, spikes: np.ndarray, within: float) -> None:
    """Compare loss and gradients of the fast path with those of the plain loop."""
    n_samples, n_steps, _ = spikes.shape
    brainstate.nn.init_all_states(network, batch_size=n_samples)

    def plain(inputs: jax.Array) -> jax.Array:
        brainstate.nn.reset_all_states(network, batch_size=n_samples)
        return ts.mean_over_time(ts.rollout(network, inputs))

    inputs = jnp.swapaxes(jnp.asarray(spikes), 0, 1)
    fast = EventClassifier(network, n_steps)
    expected_loss, expected = loss_and_gradients(plain, network, inputs)
    for given in (event_lists(spikes), inputs):
        loss, gradients = loss_and_gradients(fast.update, network, given)
        assert loss == pytest.approx(expected_loss, rel=within)
        assert gradients.keys() == expected.keys()
        for name, gradient in gradients.items():
            scale = np.abs(expected[name]).max()
            assert scale > 0, f"expected {name} to have a gradient"
            np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=10 * within * scale)


def test_event_lists_hold_every_spike_once_in_order_of_time(spikes: Callable) -> None:
    given = spikes(5, 7, 4)
    given[2] = 0
    events = event_lists(given)
    assert events.dtype == np.int32
    assert np.all(np.diff(events) >= 0)
    np.testing.assert_array_equal(spikes_of(events, 7, 4), given)


def test_event_lists_repeat_an_event_that_stands_for_two_spikes() -> None:
    assert event_lists([[[0, 2], [1, 0]]]).tolist() == [[1, 1, 2]]


def test_event_lists_of_silence_have_one_slot_that_is_no_event() -> None:
    assert event_lists(np.zeros((2, 3, 4))).tolist() == [[12], [12]]


@pytest.mark.parametrize("value", [0.5, -1, np.nan])
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_event_lists_refuse_graded_input(value: float) -> None:
    with pytest.raises(ValueError, match="expected 0, 1 or counts of spikes"):
        event_lists([[[0, value]]])


def test_event_lists_refuse_another_number_of_axes() -> None:
    with pytest.raises(ValueError, match=r"shape \[N, T, n_in\], got shape \(2, 3\)"):
        event_lists(np.zeros((2, 3)))


@pytest.mark.usefixtures("dt")
def test_times_and_units_give_the_events_of_the_same_spikes_on_a_grid(spikes: Callable) -> None:
    given = spikes(4, 9, 5)
    mixed = np.random.default_rng(0).permutation
    times, units = [], []
    for sample in given:
        step, unit = np.nonzero(sample)
        order = mixed(len(step))
        times.append((step[order] + 0.5) * 1e-3)
        units.append(unit[order])
    events = event_lists_from_times(times, units, n_steps=9, n_in=5)
    np.testing.assert_array_equal(events, event_lists(given))


@pytest.mark.usefixtures("dt")
def test_events_past_the_last_step_are_left_out_and_equal_ones_count_twice() -> None:
    events = event_lists_from_times([[0.1, 5e-4, 6e-4], []], [[0, 1, 1], []], n_steps=2, n_in=3)
    assert events.tolist() == [[1, 1], [6, 6]]


@pytest.mark.usefixtures("dt")
@pytest.mark.parametrize(
    ("times", "units", "message"),
    [
        ([[1e-3]], [[0, 1]], "as many units as times"),
        ([[1e-3]], [[4]], "units below 4"),
        ([[-1e-3]], [[0]], "times of at least 0"),
    ],
)
def test_times_and_units_out_of_range_are_refused(times: Any, units: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        event_lists_from_times(times, units, n_steps=10, n_in=4)


def test_event_lists_from_times_need_a_time_step() -> None:
    with pytest.raises(RuntimeError, match="expected a time step"):
        event_lists_from_times([[1e-3]], [[0]], n_steps=10, n_in=4)


@pytest.mark.parametrize("unit", [None, u.mA, u.nS])
def test_currents_are_the_product_of_spikes_and_weights(unit: Any, spikes: Callable) -> None:
    given = spikes(3, 6, 8)
    weight = np.random.default_rng(1).normal(size=(8, 5)).astype(np.float32)
    carried = jnp.asarray(weight) if unit is None else jnp.asarray(weight) * unit
    currents = jax.jit(event_currents, static_argnums=2)(carried, event_lists(given), 6)
    assert u.get_unit(currents) == u.get_unit(carried)
    expected = np.einsum("bti,ih->tbh", given, weight)
    np.testing.assert_allclose(u.get_mantissa(currents), expected, atol=1e-5)


def test_gradient_by_weights_is_that_of_the_product(spikes: Callable) -> None:
    given = spikes(3, 6, 8)
    slope = np.random.default_rng(1).normal(size=(6, 3, 5)).astype(np.float32)
    weight = jnp.ones((8, 5))

    def against(weight: jax.Array) -> jax.Array:
        return jnp.sum(event_currents(weight, event_lists(given), 6) * slope)

    expected = np.einsum("bti,tbh->ih", given, slope)
    np.testing.assert_allclose(jax.grad(against)(weight), expected, atol=1e-5)


@pytest.mark.usefixtures("dt")
@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.parametrize("detach_reset", [False, True])
def test_loss_and_gradients_are_those_of_the_plain_loop(
    reset: str, detach_reset: bool, build: Callable, spikes: Callable
) -> None:
    network = build(reset=reset, detach_reset=detach_reset, tau_membrane=7.0 * u.ms)
    network.input.weight.value = network.input.weight.value | {"bias": jnp.full(6, 0.1) * u.mA}
    compare_paths(network, spikes(5, 30, 8), within=1e-6)


@pytest.mark.usefixtures("dt")
@pytest.mark.parametrize("reset", ["soft", "hard"])
def test_twenty_steps_of_training_in_float64_agree_to_the_ninth_digit(
    reset: str, twenty_steps: Callable, spikes: Callable
) -> None:
    given = spikes(5, 20, 8)
    expected = twenty_steps(given, reset=reset)
    losses = twenty_steps(
        event_lists(given),
        around=lambda network: EventClassifier(network, 20),
        encode=whole_trial,
        reset=reset,
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-9)


@pytest.mark.usefixtures("dt")
@pytest.mark.parametrize("block_bytes", [1, 2_000, 2**30])
@pytest.mark.parametrize("group_bytes", [1, 2_000, 2**30])
def test_blocks_and_groups_of_any_size_give_the_same(
    block_bytes: int,
    group_bytes: int,
    build: Callable,
    spikes: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fast_path, "_BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(fast_path, "_GROUP_BYTES", group_bytes)
    compare_paths(build(), spikes(7, 12, 8), within=1e-6)


@pytest.mark.usefixtures("dt")
@pytest.mark.parametrize("prepare", [event_lists, np.asarray], ids=["events", "spikes"])
def test_whole_trials_give_the_losses_of_training_step_by_step(
    prepare: Callable, build: Callable, spikes: Callable
) -> None:
    given, labels = spikes(20, 15, 8), np.arange(20) % 2
    plain = ts.Trainer(build(), braintools.optim.Adam(lr=1e-2))
    expected = plain.fit(ts.Dataset(given, labels), epochs=2, batch_size=8)
    trainer = ts.Trainer(
        EventClassifier(build(), 15), braintools.optim.Adam(lr=1e-2), encode=whole_trial
    )
    history = trainer.fit(ts.Dataset(prepare(given), labels), epochs=2, batch_size=8)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-5)


@pytest.mark.usefixtures("dt")
def test_the_network_itself_is_trained(build: Callable, spikes: Callable) -> None:
    network, given, labels = build(), spikes(6, 15, 8), np.arange(6) % 2
    trainer = ts.Trainer(
        EventClassifier(network, 15), braintools.optim.Adam(lr=1e-2), encode=whole_trial
    )
    trainer.fit(ts.Dataset(event_lists(given), labels), epochs=2)
    scores = trainer.evaluate(ts.Dataset(event_lists(given), labels)).scores
    outputs = ts.record(network, jnp.swapaxes(jnp.asarray(given), 0, 1)).outputs
    np.testing.assert_allclose(ts.mean_over_time(outputs), scores, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("dt")
@pytest.mark.parametrize("readout", [ts.MembraneReadout, ts.SpikingReadout])
def test_another_readout_is_refused_with_what_to_do(readout: Any) -> None:
    network = ts.SpikingClassifier(8, 6, 2, readout=readout(6, 2))
    with pytest.raises(TypeError, match=f"got LIF and {readout.__name__}: use `event_currents`"):
        EventClassifier(network, 10)


@pytest.mark.usefixtures("dt")
def test_number_of_steps_is_checked(build: Callable) -> None:
    with pytest.raises(ValueError, match="expected n_steps to be an integer"):
        EventClassifier(build(), 0)


@pytest.mark.usefixtures("dt")
def test_spikes_of_another_number_of_steps_are_refused(build: Callable, spikes: Callable) -> None:
    with pytest.raises(ValueError, match="leading axis sizes: 12, 10"):
        EventClassifier(build(), 10).update(spikes(12, 3, 8))


def test_nobody_loads_the_fast_path_without_asking() -> None:
    code = "import sys, trainable_spikes; print('trainable_spikes.events' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == "False"
