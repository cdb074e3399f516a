"""The settings of the gallery page on Fashion-MNIST, chosen on 500 validation images.

Each of four networks tries six learning rates, and each code its main setting at the rate chosen,
with three seeds that serve nothing else. No test image is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import starmap

import brainstate
import braintools
import brainunit as u
import jax
import numpy as np

import trainable_spikes as ts
from evidence.recorded import record
from run.shell.measuring import measured
from trainable_spikes.encoding import Encoder

n_steps, epochs, batch_size = 10, 8, 100
seeds = range(100, 103)
rates = (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2)
# As the page has them.
chosen_rates = {
    "spiking, latency": 2e-2,
    "spiking, Poisson": 1e-2,
    "100 ReLU units": 5e-3,
    "linear": 2e-2,
}
chosen_latest, chosen_max_rate = 18.0 * u.ms, 500.0 * u.Hz

brainstate.environ.set(dt=2.0 * u.ms)
images, _ = ts.fashion_mnist_sample()
train, validation = images.split(2500, 500, seed=0)


def still(batch: jax.Array, key: jax.Array) -> jax.Array:
    """Show an image for one step."""
    return batch[None]


def network() -> brainstate.nn.Module:
    """Build the spiking network of the page."""
    return ts.SpikingClassifier(n_in=784, n_hidden=100, n_out=10)


def relu() -> brainstate.nn.Module:
    """Build a network of the same size without spikes."""
    return brainstate.nn.Sequential(
        brainstate.nn.Linear(784, 100), brainstate.nn.ReLU(), brainstate.nn.Linear(100, 10)
    )


def linear() -> brainstate.nn.Module:
    """Build a linear classifier."""
    return brainstate.nn.Linear(784, 10)


def accuracies(
    build: Callable[[], brainstate.nn.Module], encode: Encoder, tried: tuple[float, ...]
) -> dict[float, list[float]]:
    """Return the validation accuracies, by seed, of each learning rate tried."""
    trainer = ts.Trainer(build(), braintools.optim.Adam(), encode=encode)
    found: dict[float, list[float]] = {}
    for lr in tried:
        found[lr] = []
        for seed in seeds:
            brainstate.random.seed(seed)
            trainer.restart(build())
            trainer.optimizer.current_lr = lr
            trainer.fit(train, epochs=epochs, batch_size=batch_size, seed=seed)
            found[lr].append(trainer.evaluate(validation).accuracy)
        print(build.__name__, lr, found[lr], flush=True)
    return found


def behind(found: dict[float, list[float]], chosen: float) -> float:
    """Return by how many points the mean of a choice is behind the best."""
    means = {setting: float(np.mean(values)) for setting, values in found.items()}
    return 100 * (max(means.values()) - means[chosen])


def latency(latest: u.Quantity) -> Encoder:
    """Spike once, the last pixel at `latest`."""
    return ts.latency_spikes(n_steps, latest=latest)


def poisson(max_rate: u.Quantity) -> Encoder:
    """Spike at random, white pixels at `max_rate`."""
    return ts.poisson_spikes(n_steps, max_rate=max_rate)


contestants = {
    "spiking, latency": (network, latency(chosen_latest)),
    "spiking, Poisson": (network, poisson(chosen_max_rate)),
    "100 ReLU units": (relu, still),
    "linear": (linear, still),
}
by_rate = {name: accuracies(build, encode, rates) for name, (build, encode) in contestants.items()}
latency_lr, poisson_lr = chosen_rates["spiking, latency"], chosen_rates["spiking, Poisson"]
by_latest = {
    ms: accuracies(network, latency(ms * u.ms), (latency_lr,))[latency_lr] for ms in (10.0, 14.0)
} | {18.0: by_rate["spiking, latency"][latency_lr]}
by_max_rate = {
    hz: accuracies(network, poisson(hz * u.Hz), (poisson_lr,))[poisson_lr] for hz in (125.0, 250.0)
} | {500.0: by_rate["spiking, Poisson"][poisson_lr]}
distances = [
    *starmap(behind, ((by_rate[name], lr) for name, lr in chosen_rates.items())),
    behind(by_latest, 18.0),
    behind(by_max_rate, 500.0),
]

named = {
    "latency": "spiking, latency",
    "poisson": "spiking, Poisson",
    "relu": "100 ReLU units",
    "linear": "linear",
}
chosen = {case: by_rate[name][chosen_rates[name]] for case, name in named.items()}
record(
    __file__,
    "gallery/fashion-mnist",
    [
        *measured("fashion-chosen", chosen, seeds=seeds),
        *measured("fashion-chosen-behind", max(distances)),
    ],
)
