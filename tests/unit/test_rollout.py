"""Each way of running over time gives one result; they differ in what they keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts


def loss_and_gradients(network: Any, inputs: Any, **how: Any) -> tuple[float, list[np.ndarray]]:
    weights = network.states(brainstate.ParamState)
    brainstate.nn.init_all_states(network, batch_size=inputs.shape[1])

    @brainstate.transform.jit
    def run(inputs: jax.Array) -> Any:
        def loss() -> jax.Array:
            outputs = ts.rollout(network, inputs, **how)
            return jnp.mean(jnp.square(outputs - jnp.arange(len(inputs))[:, None, None] / 10))

        return brainstate.transform.grad(loss, weights, return_value=True)()

    gradients, loss = run(jnp.asarray(inputs))
    return float(loss), [np.asarray(x) for x in jax.tree.leaves(gradients)]


@pytest.mark.parametrize(("n_steps", "chunk"), [(12, 4), (13, 4), (1, 4), (30, None)])
@pytest.mark.usefixtures("dt")
def test_loss_and_gradients_are_those_of_the_plain_loop(
    n_steps: int, chunk: int | None, build: Callable, spikes: Callable
) -> None:
    network, inputs = build(), spikes(n_steps, 3, 8)
    plain_loss, plain = loss_and_gradients(network, inputs)
    for memory in ("remat", "checkpointed"):
        loss, gradients = loss_and_gradients(network, inputs, memory=memory, chunk=chunk)
        assert loss == pytest.approx(plain_loss, rel=1e-6)
        for gradient, expected in zip(gradients, plain, strict=True):
            scale = max(np.abs(expected).max(), 1e-3)
            np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("memory", ["remat", "checkpointed"])
def test_twenty_steps_of_training_in_float64_agree_to_the_ninth_digit(
    memory: str, twenty_steps: Callable, spikes: Callable
) -> None:
    given = spikes(5, 20, 8)
    np.testing.assert_allclose(twenty_steps(given, memory=memory), twenty_steps(given), rtol=1e-9)


@pytest.mark.parametrize(
    ("memory", "chunk"), [("plain", None), ("remat", 4), ("remat", 1), ("checkpointed", 4)]
)
@pytest.mark.usefixtures("dt")
def test_outputs_and_last_state_are_those_of_stepping_by_hand(
    memory: str, chunk: int | None, build: Callable, spikes: Callable
) -> None:
    network, inputs = build(), jnp.asarray(spikes(11, 3, 8))
    brainstate.nn.init_all_states(network, batch_size=3)
    step = brainstate.transform.jit(network.update)
    expected = jnp.stack([step(x) for x in inputs])
    last = network.neuron.V.value
    assert float(jnp.abs(expected).max()) > 0.1  # the network speaks
    brainstate.nn.reset_all_states(network, batch_size=3)
    outputs = ts.rollout(network, inputs, memory=memory, chunk=chunk)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        network.neuron.V.value.to_decimal(u.mV), last.to_decimal(u.mV), rtol=1e-5, atol=1e-6
    )


@pytest.mark.usefixtures("dt")
def test_rollout_continues_from_the_states_it_finds(build: Callable, spikes: Callable) -> None:
    network, inputs = build(), jnp.asarray(spikes(12, 3, 8))
    brainstate.nn.init_all_states(network, batch_size=3)
    whole = ts.rollout(network, inputs)
    brainstate.nn.reset_all_states(network, batch_size=3)
    parts = [ts.rollout(network, inputs[:5]), ts.rollout(network, inputs[5:])]
    np.testing.assert_allclose(jnp.concatenate(parts), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("dt")
def test_random_draws_in_a_step_are_the_same_in_the_second_forward_pass(
    build: Callable, spikes: Callable
) -> None:
    class Noisy(brainstate.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = build()

        def update(self, x: jax.Array) -> jax.Array:
            return self.network.update(x + 0.1 * brainstate.random.normal(size=x.shape))

    network, inputs, results = Noisy(), spikes(9, 3, 8), []
    for memory in ("plain", "remat"):
        brainstate.random.seed(1)
        results.append(loss_and_gradients(network, inputs, memory=memory))
    (plain_loss, plain), (loss, gradients) = results
    assert loss == pytest.approx(plain_loss, rel=1e-6)
    for gradient, expected in zip(gradients, plain, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("dt")
def test_long_rollouts_need_far_less_memory_with_remat_and_checkpoints(build: Callable) -> None:
    network = build()
    weights = network.states(brainstate.ParamState)
    brainstate.nn.init_all_states(network, batch_size=16)

    def gradient(memory: str) -> Callable:
        def of_inputs(inputs: jax.Array) -> Any:
            loss = lambda: ts.rollout(network, inputs, memory=memory).mean()  # noqa: E731
            return brainstate.transform.grad(loss, weights)()

        return of_inputs

    def need(memory: str, n_steps: int) -> int:
        return ts.temporary_memory(gradient(memory), jnp.zeros((n_steps, 16, 8)))

    plain, remat, checkpointed = (need(m, 900) for m in ("plain", "remat", "checkpointed"))
    assert remat < 0.5 * plain
    assert checkpointed < 0.7 * plain
    # Four times the steps: plain storage grows fourfold, remat with the square root. What
    # checkpoints need depends on the version of JAX, see the page on long rollouts.
    longer = need("plain", 3600)
    assert longer / plain > 3.5
    assert need("remat", 3600) / remat < 2.7
    assert need("checkpointed", 3600) / longer < checkpointed / plain


def first_step_gradient(window: int | None, n_steps: int, network: Any) -> np.ndarray:
    """The derivative of the last output with respect to the first input."""
    brainstate.nn.init_all_states(network, batch_size=1)

    def last(first: jax.Array) -> jax.Array:
        brainstate.nn.reset_all_states(network, batch_size=1)
        inputs = jnp.concatenate([first[None], jnp.ones((n_steps - 1, 1, 8))])
        if window is None:
            return ts.rollout(network, inputs)[-1].sum()
        return ts.truncated_rollout(network, inputs, window=window)[-1].sum()

    return np.asarray(brainstate.transform.jit(brainstate.transform.grad(last))(jnp.ones((1, 8))))


@pytest.mark.usefixtures("dt")
def test_truncated_gradient_is_the_full_one_within_a_window_and_nothing_beyond(
    build: Callable,
) -> None:
    full = first_step_gradient(None, 12, build())
    assert np.abs(full).max() > 0
    np.testing.assert_allclose(first_step_gradient(12, 12, build()), full, rtol=1e-5)
    np.testing.assert_allclose(first_step_gradient(99, 12, build()), full, rtol=1e-5)
    for window in (11, 6, 1):  # a window starts between the first step and the last
        np.testing.assert_array_equal(first_step_gradient(window, 12, build()), 0)


@pytest.mark.usefixtures("dt")
def test_truncated_outputs_are_those_of_the_plain_loop(build: Callable, spikes: Callable) -> None:
    network, inputs = build(), jnp.asarray(spikes(13, 3, 8))
    brainstate.nn.init_all_states(network, batch_size=3)
    expected = ts.rollout(network, inputs)
    brainstate.nn.reset_all_states(network, batch_size=3)
    found = ts.truncated_rollout(network, inputs, window=5)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.usefixtures("dt")
def test_window_without_steps_is_refused(build: Callable) -> None:
    with pytest.raises(ValueError, match="expected window to be an integer of at least 1, got 0"):
        ts.truncated_rollout(build(), jnp.zeros((5, 3, 8)), window=0)


def test_rollout_without_a_time_step_says_how_to_set_one(build: Callable) -> None:
    with pytest.raises(RuntimeError, match=r"expected a time step .* found none: call .*dt=1"):
        ts.rollout(build(), jnp.zeros((5, 3, 8)))


@pytest.mark.parametrize("shape", [(5, 8), (8,), (0, 3, 8)])
@pytest.mark.usefixtures("dt")
def test_inputs_without_time_batch_and_features_are_refused(
    shape: tuple[int, ...], build: Callable
) -> None:
    with pytest.raises(ValueError, match=r"expected .*\[T, B, n_in\].* got shape \(.*encode sta"):
        ts.rollout(build(), jnp.zeros(shape))


@pytest.mark.usefixtures("dt")
def test_unknown_memory_is_refused_with_what_there_is(build: Callable) -> None:
    with pytest.raises(ValueError, match='expected memory to be "plain", "remat" or "checkpoi'):
        ts.rollout(build(), jnp.zeros((5, 3, 8)), memory="none")


@pytest.mark.parametrize(
    ("memory", "chunk"), [("remat", 0), ("remat", -3), ("remat", 2.5), ("checkpointed", 1)]
)
@pytest.mark.usefixtures("dt")
def test_chunks_of_no_use_are_refused(memory: str, chunk: float, build: Callable) -> None:
    network = build()
    brainstate.nn.init_all_states(network, batch_size=3)
    with pytest.raises(ValueError, match=r"(chunk|base) .*integer .* [12], got"):
        ts.rollout(network, jnp.zeros((5, 3, 8)), memory=memory, chunk=chunk)


@pytest.mark.usefixtures("dt")
def test_recording_sees_the_run_from_rest_whatever_ran_before(
    build: Callable, spikes: Callable
) -> None:
    network, inputs = build(), jnp.asarray(spikes(30, 3, 8))
    first = ts.record(network, inputs)
    again = ts.record(network, inputs)
    np.testing.assert_array_equal(first.outputs, again.outputs)
    brainstate.nn.reset_all_states(network, batch_size=3)
    np.testing.assert_allclose(first.outputs, ts.rollout(network, inputs), rtol=1e-5, atol=1e-6)
    assert first.outputs.shape == (30, 3, 2)


@pytest.mark.usefixtures("dt")
def test_recorded_spikes_are_the_crossings_of_the_recorded_potential(
    build: Callable, spikes: Callable
) -> None:
    network = build(threshold=1.5 * u.mV)
    recording = ts.record(network, jnp.asarray(spikes(30, 3, 8)))
    assert recording.potential.unit == u.mV
    assert recording.spikes.shape == recording.potential.shape == (30, 3, 6)
    crossed = np.asarray(recording.potential.to_decimal(u.mV)) >= 1.5
    assert crossed.any()
    np.testing.assert_array_equal(recording.spikes, crossed)


def test_recording_without_a_time_step_says_how_to_set_one(build: Callable) -> None:
    with pytest.raises(RuntimeError, match="expected a time step"):
        ts.record(build(), jnp.zeros((5, 3, 8)))
