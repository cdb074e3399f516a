"""A time step and a small spiking network for the tests of the package."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import brainstate
import brainunit as u
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
