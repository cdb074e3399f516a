"""Fashion-MNIST in full as spike times: 100 spiking neurons on lists of events, and 100 ReLU units.

Each pixel that is not black spikes once in 100 ms, the earlier the brighter. Learning rates, the
membrane time constant and the steepness of the surrogate are chosen on 10,000 validation images
with a seed of their own and fewer epochs. Then three networks learn from all 60,000 images, and
see the test images once. Both kinds of network see images mirrored at random, and both learning
rates fall to zero along a cosine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

import trainable_spikes as ts
from evidence.recorded import record
from run.shell.measuring import measured
from trainable_spikes.events import EventClassifier

n_steps, latest, n_pixels = 100, 30, 784
past_end = n_steps * n_pixels
batch_size, epochs, epochs_of_choice = 256, 30, 8
seeds, choice_seed = range(3), 100

brainstate.environ.set(dt=1.0 * u.ms)


def events_of(images: ts.Dataset) -> ts.Dataset:
    """List the events of the latency code: one for every pixel that is not black."""
    intensity = np.asarray(images.inputs)
    step = np.round((1 - intensity) * latest).astype(np.int32)
    events = np.where(intensity > 0, step * n_pixels + np.arange(n_pixels), past_end)
    events = np.sort(events.astype(np.int32), axis=1)
    return ts.Dataset(events[:, : (events < past_end).sum(axis=1).max()], images.targets)


def mirrored(pixel: jax.Array) -> jax.Array:
    """Return the pixel at the other side of its row."""
    return pixel // 28 * 28 + 27 - pixel % 28


def chosen(key: jax.Array, batch: jax.Array) -> jax.Array:
    """Choose the samples to mirror: half of them in training, none otherwise."""
    share = 0.5 if brainstate.environ.get("fit", False) else 0.0
    return jax.random.bernoulli(key, share, (len(batch), 1))


def mirror_events(events: jax.Array, key: jax.Array) -> jax.Array:
    """Mirror half of the images, as lists of events."""
    pixel = events % n_pixels
    flipped = jnp.where(events < past_end, events - pixel + mirrored(pixel), events)
    return jnp.where(chosen(key, events), flipped, events)[None]


def mirror_pixels(images: jax.Array, key: jax.Array) -> jax.Array:
    """Mirror half of the images, as pixels."""
    return jnp.where(chosen(key, images), images[:, mirrored(jnp.arange(n_pixels))], images)[None]


def spiking(tau: float = 20.0, scale: float = 25.0) -> brainstate.nn.Module:
    """Build the spiking network; `tau` in ms, `scale` that of the surrogate."""
    network = ts.SpikingClassifier(
        n_in=n_pixels,
        n_hidden=100,
        n_out=10,
        tau_membrane=tau * u.ms,
        weight_scale=8.0,
        surrogate=braintools.surrogate.InvSquareGrad(scale),
    )
    return EventClassifier(network, n_steps)


def relu() -> brainstate.nn.Module:
    """Build a network of the same size without spikes."""
    return brainstate.nn.Sequential(
        brainstate.nn.Linear(n_pixels, 100), brainstate.nn.ReLU(), brainstate.nn.Linear(100, 10)
    )


@dataclass
class Learner:
    """One kind of network and its settings, compiled once."""

    build: Callable[[], brainstate.nn.Module]
    encode: Callable[[jax.Array, jax.Array], jax.Array]

    def __post_init__(self) -> None:
        """Make the trainer."""
        self.trainer = ts.Trainer(self.build(), braintools.optim.Adam(), encode=self.encode)

    def learn(self, images: ts.Dataset, lr: float, seed: int, epochs: int) -> list[float]:
        """Train a new network; return the seconds of each epoch."""
        brainstate.random.seed(seed)
        self.trainer.restart(self.build())
        seconds = []
        for epoch in range(epochs):
            self.trainer.optimizer.current_lr = lr * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
            start = time.perf_counter()
            self.trainer.fit(images, epochs=1, batch_size=batch_size, seed=1000 * seed + epoch)
            seconds.append(time.perf_counter() - start)
        return seconds

    def accuracy(self, images: ts.Dataset) -> float:
        """Return the share of images named rightly."""
        return self.trainer.evaluate(images, batch_size=250).accuracy


def choose(name: str, tried: dict[tuple[float, ...], Learner], data: tuple) -> tuple[float, ...]:
    """Return the settings, the learning rate first, that do best on validation images."""
    train, validation = data
    found = {}
    for settings, learner in tried.items():
        learner.learn(train, settings[0], choice_seed, epochs_of_choice)
        found[settings] = learner.accuracy(validation)
        print(name, settings, "validation accuracy", found[settings], flush=True)
    return max(found, key=lambda settings: found[settings])


images, test_images = ts.fashion_mnist()
start = time.perf_counter()
all_events, test_events = events_of(images), events_of(test_images)
seconds_of_lists = time.perf_counter() - start
split = images.split(50_000, 10_000, seed=0)
events_split = tuple(events_of(part) for part in split)

# One thing changed at a time, in this order: learning rate, membrane, surrogate.
first = Learner(spiking, mirror_events)
(lr,) = choose("spiking", {(lr,): first for lr in (2e-2, 3e-2, 5e-2, 1e-1)}, events_split)
_, tau = choose(
    "spiking",
    {(lr, tau): Learner(lambda tau=tau: spiking(tau), mirror_events) for tau in (10.0, 20.0)},
    events_split,
)
_, scale = choose(
    "spiking",
    {
        (lr, scale): Learner(lambda scale=scale: spiking(tau, scale), mirror_events)
        for scale in (5.0, 10.0, 25.0, 50.0)
    },
    events_split,
)
plain = Learner(relu, mirror_pixels)
(lr_relu,) = choose("ReLU", {(lr,): plain for lr in (1e-3, 2e-3, 5e-3, 1e-2)}, split)

final = Learner(lambda: spiking(tau, scale), mirror_events)
accuracy: dict[str, list[float]] = {"spiking": [], "ReLU": []}
seconds: list[float] = []
for seed in seeds:
    seconds += final.learn(all_events, lr, seed, epochs)[1:]  # the first compiles
    accuracy["spiking"].append(final.accuracy(test_events))
    plain.learn(images, lr_relu, seed, epochs)
    accuracy["ReLU"].append(plain.accuracy(test_images))
    print(seed, {name: values[-1] for name, values in accuracy.items()}, flush=True)

lead = [100 * (a - b) for a, b in zip(accuracy["spiking"], accuracy["ReLU"], strict=True)]
mean = float(np.mean(accuracy["spiking"]))
error = 100 * np.sqrt(mean * (1 - mean) / len(test_images))
record(
    __file__,
    "gallery/fashion-mnist",
    [
        *measured("fashion-events-accuracy", accuracy["spiking"], seeds=seeds),
        *measured("fashion-events-relu-accuracy", accuracy["ReLU"], seeds=seeds),
        *measured("fashion-events-lead", lead, seeds=seeds),
        *measured("fashion-error", {"events": error}),
        *measured("fashion-events-epoch-seconds", float(np.median(seconds)) * u.second),
        *measured("fashion-events-lists-seconds", seconds_of_lists * u.second),
        *measured("fashion-events-learning-rate", lr),
        *measured("fashion-events-membrane", tau * u.ms),
        *measured("fashion-events-surrogate", scale),
    ],
)
