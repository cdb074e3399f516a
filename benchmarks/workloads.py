"""What every contender is given: the same spikes, labels and initial weights, as NumPy arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

DT = 1.0  # every time is in ms
TAU_SYNAPSE, TAU_MEMBRANE, TAU_READOUT = 5.0, 20.0, 10.0
SYNAPSE_DECAY, MEMBRANE_DECAY, READOUT_DECAY = (
    float(np.exp(-DT / tau)) for tau in (TAU_SYNAPSE, TAU_MEMBRANE, TAU_READOUT)
)
THRESHOLD = 1.0
GAIN = 1.0 - MEMBRANE_DECAY  # what one step of unit current does to the potential
SURROGATE_PEAK, SURROGATE_WIDTH = 0.3, 1.0
LEARNING_RATE = 3e-3

# Some libraries integrate the membrane without the factor GAIN. Their potential is this one's
# over GAIN: with the threshold and the surrogate over GAIN too, weights and gradients are equal.
RAW_THRESHOLD = THRESHOLD / GAIN
RAW_SURROGATE_PEAK, RAW_SURROGATE_WIDTH = SURROGATE_PEAK * GAIN, SURROGATE_WIDTH / GAIN

N_TRAIN, N_VALIDATION, LATENCY_STEPS = 50_000, 2_000, 30
_FILES = ("pixels", "labels")
# Standard deviation that the potential would have if spikes did not reset it: with it hidden
# neurons start at 5 to 20 Hz. An image's spikes come early, and its neurons are silent after.
POTENTIAL_SPREAD, POTENTIAL_SPREAD_IMAGES = 1.0, 1.7


@dataclass(frozen=True)
class Workload:
    """Sizes, data and initial weights; arrays are the same for every contender.

    Attributes
    ----------
    name : str
        Name of the workload.
    n_steps, batch_size, n_in, n_hidden, n_out : int
        Sizes.
    density : float
        Share of input entries that spike; measured where the data is images.
    batches : tuple of numpy.ndarray
        Spikes, uint8, each ``[T, B, n_in]``.
    labels : tuple of numpy.ndarray
        Classes, int32, each ``[B]``.
    weights : dict of str to numpy.ndarray
        ``input_weight`` ``[n_in, n_hidden]``, ``input_bias``, ``output_weight``
        ``[n_hidden, n_out]`` and ``output_bias``, float32.
    """

    name: str
    n_steps: int
    batch_size: int
    n_in: int
    n_hidden: int
    n_out: int
    density: float
    batches: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    weights: dict[str, np.ndarray]


@dataclass(frozen=True)
class Sizes:
    """What a workload is made from."""

    name: str
    n_steps: int
    batch_size: int
    n_in: int
    n_hidden: int
    n_out: int
    density: float
    n_batches: int = 4
    seed: int = 0


# Few batches where one is large: all contenders keep theirs in memory at the same time. Many where
# a step is short: a pass over the batches is one call of those that compile whole passes.
WORKLOADS = {
    "W1": Sizes("W1", 200, 256, 100, 4, 2, 0.005, n_batches=32),
    "W2": Sizes("W2", 100, 128, 700, 256, 20, 0.02),
    "W3": Sizes("W3", 2000, 32, 100, 128, 10, 0.005),
    "W4": Sizes("W4", 2000, 128, 100, 256, 10, 0.005, n_batches=2),
    "F": Sizes("F", 100, 256, 784, 100, 10, 0.0),  # density is what the images give
    "tiny": Sizes("tiny", 20, 16, 30, 8, 2, 0.05),
}
BASE = Sizes("base", 200, 64, 200, 128, 10, 0.01, n_batches=2)
AXES = {
    "n_steps": (50, 100, 200, 400, 800),
    "batch_size": (32, 64, 128, 256, 512),
    "n_hidden": (64, 128, 256, 512, 1024),
    "density": (0.0025, 0.01, 0.04, 0.16),
}


def sizes(given: str | dict[str, Any]) -> Sizes:
    """Sizes by name, or from a dictionary that says how they differ from those it names."""
    if isinstance(given, str):
        return BASE if given == "base" else WORKLOADS[given]
    unknown = set(given) - {field.name for field in fields(Sizes)}
    if unknown:
        raise ValueError(f"expected sizes of a workload, got {sorted(unknown)}")
    return replace(sizes(given["name"]), **given)


def workload(given: str | dict[str, Any], images: Path | None = None) -> Workload:
    """Make a workload; `images` is the folder of :func:`save_images`, which F needs."""
    size = sizes(given)
    if size.name == "F":
        if images is None:
            raise ValueError("expected the folder of images that workload F is made from, got none")
        batches, labels = zip(*image_batches(images, size, 0, size.n_batches), strict=True)
    else:
        random = np.random.default_rng([size.seed, 1])
        shape = (size.n_steps, size.batch_size, size.n_in)
        batches = tuple(
            (random.random(shape, dtype=np.float32) < size.density).astype(np.uint8)
            for _ in range(size.n_batches)
        )
        labels = tuple(
            random.integers(0, size.n_out, size.batch_size, dtype=np.int32)
            for _ in range(size.n_batches)
        )
    density = float(np.mean([batch.mean() for batch in batches]))
    return Workload(
        name=size.name,
        n_steps=size.n_steps,
        batch_size=size.batch_size,
        n_in=size.n_in,
        n_hidden=size.n_hidden,
        n_out=size.n_out,
        density=density,
        batches=batches,
        labels=labels,
        weights=initial_weights(size),
    )


def initial_weights(size: Sizes) -> dict[str, np.ndarray]:
    """Draw weights that let hidden neurons spike, which Kaiming's do not for sparse input.

    A potential is the sum over inputs of weight times filtered spikes. Its variance is
    ``n_in w**2 (d sum k**2 + (d sum k)**2)`` for weights of standard deviation w, spikes of
    density d a step, and the response k of the potential to one spike of weight 1.
    """
    random = np.random.default_rng([size.seed, 2])
    response = _response(size.n_steps)
    images = size.name == "F"
    density = 0.3 / LATENCY_STEPS if images else size.density
    wanted = POTENTIAL_SPREAD_IMAGES if images else POTENTIAL_SPREAD
    variance = density * np.sum(response**2) + (density * np.sum(response)) ** 2
    spread = wanted / np.sqrt(size.n_in * variance)
    shape = (size.n_in, size.n_hidden)
    out = (size.n_hidden, size.n_out)
    return {
        "input_weight": (spread * random.standard_normal(shape)).astype(np.float32),
        "input_bias": np.zeros(size.n_hidden, np.float32),
        "output_weight": (random.standard_normal(out) / np.sqrt(size.n_hidden)).astype(np.float32),
        "output_bias": np.zeros(size.n_out, np.float32),
    }


def _response(n_steps: int) -> np.ndarray:
    """Potential after one spike of weight 1."""
    current, potential, response = 1.0, 0.0, []
    for _ in range(n_steps):
        potential = MEMBRANE_DECAY * potential + GAIN * current
        current *= SYNAPSE_DECAY
        response.append(potential)
    return np.array(response)


def save_images(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    """Keep the images in files for the workers, whose environments may have no loader."""
    np.save(folder / "pixels.npy", np.rint(np.asarray(pixels) * 255).astype(np.uint8))
    np.save(folder / "labels.npy", np.asarray(labels, np.int32))


def load_images(folder: Path, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Some of the images, uint8, and their labels; only what is used is read."""
    pixels, labels = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in _FILES)
    return pixels[part], labels[part]


def latency_spikes(pixels: np.ndarray, n_steps: int) -> np.ndarray:
    """One spike a pixel that is not black, ``(1 - x) * 30`` steps after the start.

    Parameters
    ----------
    pixels : numpy.ndarray
        Brightness x from 0 to 255, for 1, uint8, shape ``[B, n_in]``.
    n_steps : int
        Steps in all.

    Returns
    -------
    numpy.ndarray
        Spikes, uint8, shape ``[T, B, n_in]``.
    """
    spikes = np.zeros((n_steps, *pixels.shape), np.uint8)
    sample, pixel = np.nonzero(pixels)
    step = ((1.0 - pixels[sample, pixel] / 255) * LATENCY_STEPS).astype(int)
    spikes[step, sample, pixel] = 1
    return spikes


def image_batches(
    images: Path, size: Sizes, start: int, count: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches `start` to `start + count` of training; epochs follow each other, each shuffled."""
    pixels, labels = load_images(images, slice(N_TRAIN))
    in_epoch = len(pixels) // size.batch_size
    for number in range(start, start + count):
        epoch, position = divmod(number, in_epoch)
        order = np.random.default_rng([size.seed, 3, epoch]).permutation(len(pixels))
        chosen = order[position * size.batch_size : (position + 1) * size.batch_size]
        yield latency_spikes(pixels[chosen], size.n_steps), labels[chosen]


def validation_batches(images: Path, size: Sizes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Held-out images in batches of one shape; the last is filled up with label -1."""
    pixels, labels = load_images(images, slice(N_TRAIN, N_TRAIN + N_VALIDATION))
    for start in range(0, len(pixels), size.batch_size):
        some, known = (array[start : start + size.batch_size] for array in (pixels, labels))
        missing = size.batch_size - len(some)
        some = np.pad(some, ((0, missing), (0, 0)))
        yield latency_spikes(some, size.n_steps), np.pad(known, (0, missing), constant_values=-1)


def digest(given: Workload) -> str:
    """One hash of all arrays, which says that two processes were given the same."""
    found = hashlib.sha256()
    for array in (*given.batches, *given.labels, *given.weights.values()):
        found.update(str((array.dtype, array.shape)).encode())
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def simulate(given: Workload, batch: int = 0) -> tuple[float, float]:
    """Loss and hidden rate in Hz of one batch, in float64: what contenders must agree with."""
    weights = {name: array.astype(float) for name, array in given.weights.items()}
    shape = (given.batch_size, given.n_hidden)
    current, potential, spikes = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    output, scores, count = np.zeros((given.batch_size, given.n_out)), 0.0, 0.0
    for x in given.batches[batch]:
        drive = x.astype(float) @ weights["input_weight"] + weights["input_bias"]
        current = SYNAPSE_DECAY * current + drive
        potential = MEMBRANE_DECAY * (potential - THRESHOLD * spikes) + GAIN * current
        spikes = (potential >= THRESHOLD).astype(float)
        count += spikes.sum()
        output = READOUT_DECAY * output + spikes @ weights["output_weight"] + weights["output_bias"]
        scores = scores + output / given.n_steps
    highest = scores.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(scores - highest).sum(axis=1)) + highest[:, 0]
    chosen = scores[np.arange(given.batch_size), given.labels[batch]]
    rate = 1000.0 / DT * count / (given.n_steps * given.batch_size * given.n_hidden)
    return float(np.mean(log_sum - chosen)), float(rate)
