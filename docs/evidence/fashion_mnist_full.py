"""Fashion-MNIST with all 70,000 images: the recipe of the gallery page, and what images add.

A spiking network with latency code, a network of 100 ReLU units and a linear classifier learn
from 50,000 images, and from 2,500 of them with as many updates, over five seeds. Learning rates
are chosen on validation images with a seed of their own; a trained network sees the test images
once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import brainstate
import braintools
import brainunit as u
import jax
import numpy as np

import trainable_spikes as ts
from claims import measure
from evidence import record
from trainable_spikes.encoding import Encoder

n_steps, epochs, batch_size = 10, 10, 250
recipe_lr = 5e-3  # as the page prints it
seeds, choice_seed = range(5), 100
few = 2_500

brainstate.environ.set(dt=2.0 * u.ms)
images, test = ts.fashion_mnist()
train, validation = images.split(50_000, 10_000, seed=0)
seconds: dict[str, list[float]] = {}  # of every epoch, by network


@dataclass
class Contestant:
    """A network, the trainer that compiles it once, and its learning rate."""

    name: str
    build: Callable[[], brainstate.nn.Module]
    encode: Encoder
    rates: tuple[float, ...]
    lr: float = 0.0

    def __post_init__(self) -> None:
        """Compile nothing yet: the first fit does."""
        self.trainer = ts.Trainer(self.build(), braintools.optim.Adam(), encode=self.encode)

    def restart(self, seed: int, lr: float) -> None:
        """Draw new weights."""
        brainstate.random.seed(seed)
        self.trainer.restart(self.build())
        self.trainer.optimizer.current_lr = lr


def still(batch: jax.Array, key: jax.Array) -> jax.Array:
    """Show an image for one step."""
    return batch[None]


def network() -> brainstate.nn.Module:
    """Build the network of the page."""
    return ts.SpikingClassifier(n_in=784, n_hidden=100, n_out=10)


def relu() -> brainstate.nn.Module:
    """Build a network of the same size without spikes."""
    return brainstate.nn.Sequential(
        brainstate.nn.Linear(784, 100), brainstate.nn.ReLU(), brainstate.nn.Linear(100, 10)
    )


def linear() -> brainstate.nn.Module:
    """Build a linear classifier."""
    return brainstate.nn.Linear(784, 10)


def choose(one: Contestant) -> dict[float, float]:
    """Return the validation accuracy of every learning rate."""
    found = {}
    for lr in one.rates:
        one.restart(choice_seed, lr)
        one.trainer.fit(train, epochs=epochs, batch_size=batch_size, seed=choice_seed)
        found[lr] = one.trainer.evaluate(validation, batch_size=batch_size).accuracy
    print(one.name, "validation accuracy by learning rate", found, flush=True)
    return found


def learn_all(one: Contestant, seed: int) -> float:
    """Run the recipe on 50,000 images; return the test accuracy."""
    start = perf_counter()
    one.restart(seed, one.lr)
    history = one.trainer.fit(
        train, epochs=epochs, batch_size=batch_size, validation=validation, seed=seed
    )
    seconds.setdefault(one.name, []).append((perf_counter() - start) / epochs)
    accuracy = one.trainer.evaluate(test, batch_size=batch_size).accuracy
    print(one.name, seed, "all images:", history.validation_accuracy[-1], accuracy, flush=True)
    return accuracy


def learn_few(one: Contestant, seed: int) -> float:
    """Learn from 2,500 images with as many updates; return the test accuracy.

    The network keeps the weights of the best of ten stops, as validation images see it.
    """
    (sample,) = train.split(few, seed=seed)
    one.restart(seed, one.lr)
    best, kept = 0.0, {}
    for stop in range(epochs):
        one.trainer.fit(
            sample, epochs=len(train) // few, batch_size=batch_size, seed=epochs * seed + stop
        )
        accuracy = one.trainer.evaluate(validation, batch_size=batch_size).accuracy
        if accuracy > best:
            best = accuracy
            kept = {name: state.value for name, state in one.trainer.weights.items()}
    for name, state in one.trainer.weights.items():
        state.value = kept[name]
    accuracy = one.trainer.evaluate(test, batch_size=batch_size).accuracy
    print(one.name, seed, "few images:", best, accuracy, flush=True)
    return accuracy


def points(one: list[float], other: list[float]) -> list[float]:
    """Return the difference in points of per cent, seed by seed."""
    return [float(100 * (a - b)) for a, b in zip(one, other, strict=True)]


latency = ts.latency_spikes(n_steps, latest=18.0 * u.ms)
contestants = [
    Contestant("spiking", network, latency, (2e-3, recipe_lr, 1e-2)),
    Contestant("ReLU", relu, still, (5e-4, 1e-3, 2e-3, 5e-3)),
    Contestant("linear", linear, still, (5e-4, 1e-3, 2e-3, 5e-3)),
]
for one in contestants:
    found = choose(one)
    one.lr = max(found, key=lambda lr: found[lr])
    if one.name == "spiking":
        behind = measure(
            "fashion-full-choice",
            100 * (max(found.values()) - found[recipe_lr]),
            "On 10,000 validation images of Fashion-MNIST, the learning rate 5e-3 is the best of "
            "2e-3, 5e-3 and 1e-2 for the spiking network, or close to it (points behind the best)",
            at_most=0.5,
            show=".2f",
        )
        if not behind.holds:
            raise SystemExit(f"expected a better `recipe_lr`, here and on the page: {found}")
        one.lr = recipe_lr
all_images = {one.name: [learn_all(one, seed) for seed in seeds] for one in contestants}
few_images = {one.name: [learn_few(one, seed) for seed in seeds] for one in contestants}

mean = float(np.mean(all_images["spiking"]))
record(
    __file__,
    "gallery/fashion-mnist",
    [
        behind,
        measure(
            "fashion-full-accuracy",
            all_images["spiking"],
            "Test accuracy on Fashion-MNIST of a spiking network with 100 hidden neurons and "
            "latency code after 10 epochs on 50,000 images",
            at_least=0.84,
            at_most=0.89,
            seeds=seeds,
            show=".1%",
            reported={
                "cite": "spytorch",
                "text": "86.3 %",
                "note": "60,000 images, 100 steps and 30 epochs; here 50,000, 10 and 10",
            },
        ),
        measure(
            "fashion-full-error",
            100 * np.sqrt(mean * (1 - mean) / len(test)),
            "Standard error in points of such an accuracy on 10,000 test images",
            at_least=0.3,
            at_most=0.4,
            show=".2f",
        ),
        measure(
            "fashion-full-seconds-per-epoch",
            float(np.median(seconds["spiking"])) * u.second,
            "Time of an epoch of 50,000 images, with its validation on 10,000, for the spiking "
            "network of 100 hidden neurons and 10 time steps",
            show=".1f",
            machine=True,
        ),
        measure(
            "fashion-full-relu-accuracy",
            all_images["ReLU"],
            "Test accuracy on Fashion-MNIST of 100 ReLU units after 10 epochs on 50,000 images",
            at_least=0.85,
            at_most=0.9,
            seeds=seeds,
            show=".1%",
        ),
        measure(
            "fashion-full-linear-accuracy",
            all_images["linear"],
            "Test accuracy on Fashion-MNIST of a linear classifier after 10 epochs on 50,000 "
            "images",
            at_least=0.82,
            at_most=0.86,
            seeds=seeds,
            show=".1%",
        ),
        measure(
            "fashion-full-relu-lead",
            points(all_images["ReLU"], all_images["spiking"]),
            "With 50,000 images of Fashion-MNIST, 100 ReLU units and 100 spiking neurons end "
            "within a point of test accuracy of each other (lead of the ReLU units)",
            at_least=-1,
            at_most=1,
            seeds=seeds,
            show=".1f",
        ),
        measure(
            "fashion-full-hidden-lead",
            points(all_images["ReLU"], all_images["linear"]),
            "With 50,000 images of Fashion-MNIST, 100 hidden ReLU units lead the linear classifier "
            "(points of test accuracy)",
            at_least=1.5,
            at_most=6,
            seeds=seeds,
            show=".1f",
        ),
        measure(
            "fashion-few-hidden-lead",
            points(few_images["ReLU"], few_images["linear"]),
            "With 2,500 images of Fashion-MNIST and as many updates, 100 hidden ReLU units and the "
            "linear classifier end within 3 points of test accuracy (lead of the ReLU units)",
            at_least=-3,
            at_most=3,
            seeds=seeds,
            show=".1f",
        ),
        measure(
            "fashion-few-accuracy",
            few_images["spiking"],
            "Test accuracy on Fashion-MNIST of the spiking network after as many updates on 2,500 "
            "images only, stopped where 10,000 validation images are best",
            at_least=0.79,
            at_most=0.86,
            seeds=seeds,
            show=".1%",
        ),
        measure(
            "fashion-images-lead",
            points(all_images["spiking"], few_images["spiking"]),
            "With as many updates, a spiking network that learns from 50,000 images of "
            "Fashion-MNIST leads one that learns from 2,500 (points of test accuracy)",
            at_least=3,
            at_most=7,
            seeds=seeds,
            show=".1f",
        ),
    ],
)
