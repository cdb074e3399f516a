"""The detached neuron: forward that of LIF, backward without the reset's spike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainpy.state
import brainstate
import braintools
import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts

DECAY = np.exp(-1 / 20)


def layer(kind: Callable[..., Any], reset: str, n: int = 1) -> Any:
    surrogate = braintools.surrogate.Sigmoid()
    neuron = kind(n, tau=20.0 * u.ms, spk_fun=surrogate, spk_reset=reset)
    brainstate.nn.init_all_states(neuron)
    return neuron


@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.usefixtures("dt")
def test_spikes_and_potentials_are_those_of_lif_to_the_last_bit(reset: str) -> None:
    currents = jnp.asarray(np.random.default_rng(0).normal(2.0, 3.0, (200, 1)), jnp.float32)
    seen = []
    for kind in (brainpy.state.LIF, ts.DetachedLIF):
        neuron = layer(kind, reset)

        def step(current: Any, neuron: Any = neuron) -> Any:
            return neuron.update(current * u.mA), neuron.V.value.to_decimal(u.mV)

        seen.append(brainstate.transform.for_loop(step, currents))
    (spikes, potentials), (detached_spikes, detached_potentials) = seen
    assert spikes.sum() > 10
    np.testing.assert_array_equal(spikes, detached_spikes)
    np.testing.assert_array_equal(potentials, detached_potentials)


@pytest.mark.parametrize(("reset", "after_a_spike"), [("soft", DECAY), ("hard", 0.0)])
@pytest.mark.usefixtures("dt")
def test_gradient_to_the_next_potential_has_no_surrogate_in_it(
    reset: str, after_a_spike: float
) -> None:
    potentials = jnp.array([-0.5, 0.9, 1.1, 2.5])
    neuron = layer(ts.DetachedLIF, reset, n=4)

    def following(potential: Any) -> Any:
        neuron.V.value = potential * u.mV
        neuron.update(0.0 * u.mA)
        return neuron.V.value.to_decimal(u.mV).sum()

    slope = brainstate.transform.grad(following)(potentials)
    np.testing.assert_allclose(slope, [DECAY, DECAY, after_a_spike, after_a_spike], rtol=1e-6)


@pytest.mark.usefixtures("dt")
def test_spike_that_leaves_keeps_its_surrogate() -> None:
    neuron = layer(ts.DetachedLIF, "soft")
    slope = brainstate.transform.grad(lambda v: neuron.get_spike(v * u.mV).sum())(jnp.array([1.0]))
    np.testing.assert_allclose(slope, [1.0], rtol=1e-6)  # Sigmoid(alpha=4) peaks at alpha / 4


@pytest.mark.usefixtures("dt")
def test_classifier_takes_it_on_request_and_keeps_its_outputs(
    build: Callable, spikes: Callable
) -> None:
    inputs = jnp.asarray(spikes(30, 3, 8))
    plain, detached = build(), build(detach_reset=True)
    assert isinstance(detached.neuron, ts.DetachedLIF)
    assert not isinstance(plain.neuron, ts.DetachedLIF)
    np.testing.assert_array_equal(
        ts.record(plain, inputs).outputs, ts.record(detached, inputs).outputs
    )
