"""A time step and a small spiking network for the tests of the package."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import brainstate
import braintools
import brainunit as u
import jax
import numpy as np
import pytest

import trainable_spikes as ts


@pytest.fixture
def dt() -> Iterator[u.Quantity]:
    with brainstate.environ.context(dt=1.0 * u.ms):
        yield 1.0 * u.ms


@pytest.fixture
def build() -> Callable[..., ts.SpikingClassifier]:
    """Build 8-6-2 networks that spike from the start; one seed, one set of weights."""

    def build(seed: int = 0, **settings: object) -> ts.SpikingClassifier:
        brainstate.random.seed(seed)
        return ts.SpikingClassifier(8, 6, 2, **{"weight_scale": 4.0, **settings})

    return build


@pytest.fixture
def spikes() -> Callable[..., np.ndarray]:
    """Draw input spikes: every third entry is one."""

    def spikes(*shape: int, seed: int = 0) -> np.ndarray:
        return (np.random.default_rng(seed).random(shape) < 1 / 3).astype(np.float32)

    return spikes


@pytest.fixture
def twenty_steps(dt: u.Quantity) -> Callable[..., list[float]]:
    """Return the losses of twenty steps of training in float64, where no spike flips."""

    def twenty_steps(
        inputs: np.ndarray,
        *,
        around: Callable = lambda network: network,
        reset: str = "soft",
        **how: object,
    ) -> list[float]:
        with brainstate.environ.context(precision=64), jax.enable_x64(True):
            brainstate.random.seed(0)
            network = ts.SpikingClassifier(8, 6, 2, weight_scale=4.0, reset=reset)
            assert network.input.weight.value["weight"].dtype == np.float64
            trainer = ts.Trainer(around(network), braintools.optim.Adam(lr=1e-2), **how)
            if np.issubdtype(inputs.dtype, np.floating):
                inputs = inputs.astype(np.float64)
            return trainer.fit(ts.Dataset(inputs, np.arange(len(inputs)) % 2), epochs=20).loss

    return twenty_steps
