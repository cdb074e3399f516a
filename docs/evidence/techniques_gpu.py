"""The techniques of `techniques.py` on a GPU, beside the processor of the same machine.

The same three networks, in one process: contenders of both devices take turns. Run it where JAX
finds a GPU, with `nox -s evidence -- techniques_gpu`; anywhere else it says so and stops.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import brainstate
import brainunit as u
import jax
import numpy as np
from techniques import (
    HOW,
    LOADS,
    LONG,
    SEEDS,
    SMALL,
    TECHNIQUES,
    TURNS,
    WIDE,
    Contender,
    Load,
    data_of,
    lists_of,
    one_batch,
    timed,
)

from claims import measure
from evidence import record

EVERYWHERE = ("events", "trainer-events", "dense", "trainer", "hoisted", "currents", "unroll-4")
ON_TWO = ("unroll-16", "seeds", "bfloat16")  # not on the long network: they compile for long
ON_PROCESSOR = ("reference", "events", "dense")
BATCHES = (32, 128, 512, 2048)
ROLLOUTS = ((1000, "plain"), (10_000, "plain"), (10_000, "remat"))


def on(device: jax.Device, make: Callable[[], Contender]) -> Contender:
    """Build a contender on a device, where it then takes its turns."""
    for kept in (data_of, lists_of):
        kept.cache_clear()  # what they keep is on the device of the last contender
    with jax.default_device(device):
        made = make()

    def turn() -> None:
        with jax.default_device(device):
            made.turn()

    used = {leaf.device for leaf in jax.tree.leaves(made.gradients)}
    assert used <= {device}, f"expected a step on {device}, it ran on {used}"
    return replace(made, turn=turn)


def seconds(contenders: dict[str, Contender]) -> dict[str, float]:
    """Return the median over turns of the seconds of each, which take turns."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(TURNS + 1):
        for name, contender in contenders.items():
            spent = timed(contender.turn)
            if turn:  # the first may compile again
                found[name].append(spent)
    return {name: float(np.median(spent)) for name, spent in found.items()}


def gains(found: dict[str, float], load: Load) -> None:
    """Measure each technique, and three ways on the processor, beside the plain loop."""
    loop = on(GPU, partial(TECHNIQUES["reference"], load))
    ways = [(name, name, GPU) for name in EVERYWHERE + (() if load is LONG else ON_TWO)]
    ways += [(name, f"processor-{name}", PROCESSOR) for name in ON_PROCESSOR]
    for name, label, device in ways:
        other = on(device, partial(TECHNIQUES[name], load))
        spent = seconds({"loop": loop, "other": other})
        times = SEEDS if name == "seeds" else 1
        found[f"{label}-{load.name}"] = times * spent["loop"] / spent["other"]
        found[f"loop-{load.name}"] = 1000 * spent["loop"] / load.batches
        say(found, f"{label}-{load.name}", f"loop-{load.name}")
        if name == "unroll-16":
            found[f"first-{load.name}"] = other.first / loop.first


def batches(found: dict[str, float]) -> None:
    """Measure the plain loop on both devices with the wide network and other batch sizes."""
    for batch in BATCHES:
        make = partial(TECHNIQUES["reference"], replace(WIDE, batch=batch, batches=1))
        spent = seconds({"gpu": on(GPU, make), "processor": on(PROCESSOR, make)})
        found[f"batch-{batch}"] = spent["processor"] / spent["gpu"]
        found[f"batch-{batch}-ms"] = 1000 * spent["gpu"]
        say(found, f"batch-{batch}", f"batch-{batch}-ms")
    found["batch-growth"] = found[f"batch-{BATCHES[-1]}-ms"] / found[f"batch-{BATCHES[0]}-ms"]


def rollouts(found: dict[str, float]) -> None:
    """Measure long rollouts, all of whose steps are stored or not."""
    made = {}
    for n_steps, memory in ROLLOUTS:
        load = replace(LONG, n_steps=n_steps, batches=1)
        spikes, targets = data_of(load)
        made[f"{memory}-{n_steps}"] = one_batch(load, memory, spikes.swapaxes(0, 1), targets)
    spent = seconds(made)
    for name in ("plain", "remat"):
        found[f"{name}-10000-memory"] = made[f"{name}-10000"].temporaries() / 1e6
        found[f"{name}-10000-time"] = spent[f"{name}-10000"] / spent["plain-1000"] / 10
        say(found, f"{name}-10000-memory", f"{name}-10000-time")


def say(found: dict[str, float], *names: str) -> None:
    print({name: round(found[name], 3) for name in names}, flush=True)


def claims_of(found: dict[str, float]) -> list[Any]:
    """Everything is relative to the plain loop on the GPU, unless it says otherwise."""
    how = HOW | {
        f"processor-{name}": f"on the processor {HOW.get(name, 'in the plain loop')}"
        for name in ON_PROCESSOR
    }
    made = [
        measure(
            f"gpu-{name}-{load}",
            found[f"{name}-{load}"],
            f"Speed of training the {load} network {text}, relative to the plain loop on a GPU",
            show=".2g",
            **BOUNDS.get(f"{name}-{load}", {}),
        )
        for name, text in how.items()
        for load in LOADS
        if f"{name}-{load}" in found
    ]
    made += [
        measure(
            f"gpu-loop-{load}",
            found[f"loop-{load}"],
            f"Milliseconds of a step of the plain loop on a GPU, {load} network",
            show=".1f",
            machine=True,
        )
        for load in LOADS
    ]
    made += [
        measure(
            f"gpu-batch-{batch}",
            found[f"batch-{batch}"],
            f"Speed of the plain loop on a GPU relative to the processor beside it, wide network, "
            f"batch {batch}",
            show=".2g",
        )
        for batch in BATCHES
    ]
    made.append(
        measure(
            "gpu-batch-growth",
            found["batch-growth"],
            f"Time of a step of the plain loop on a GPU with batch {BATCHES[-1]} over that with "
            f"batch {BATCHES[0]}, wide network",
            at_most=8,
            show=".1f",
        )
    )
    made.append(
        measure(
            "gpu-first-small",
            found["first-small"],
            "First call of the small network's step on a GPU, unrolled 16 times, over that of "
            "the plain loop",
            at_least=1.2,
            show=".1f",
        )
    )
    for name in ("plain", "remat"):
        with_memory = f"with memory={name!r} on a GPU, batch 32, 100-128-10"
        made.append(
            measure(
                f"gpu-{name}-10000-memory",
                found[f"{name}-10000-memory"],
                f"Megabytes of temporaries of a training step over 10,000 time steps {with_memory}",
                show=",.0f",
                **({"at_most": 300} if name == "remat" else {}),
            )
        )
        made.append(
            measure(
                f"gpu-{name}-10000-time",
                found[f"{name}-10000-time"],
                f"Time per time step of training over 10,000 steps {with_memory}, over that of "
                "the plain loop over 1,000 steps",
                show=".2f",
            )
        )
    return made


BOUNDS: dict[str, dict[str, float]] = {
    "events-small": {"at_most": 1},
    "events-wide": {"at_most": 0.5},
    "events-long": {"at_most": 0.5},
    "dense-small": {"at_most": 1},
    "dense-wide": {"at_most": 1},
    "dense-long": {"at_most": 1},
    "unroll-4-long": {"at_least": 1.3},
    "unroll-16-small": {"at_least": 1.4},
    "unroll-16-wide": {"at_least": 1.3},
    "hoisted-small": {"at_least": 1.1},
    "hoisted-wide": {"at_least": 1.1},
    "hoisted-long": {"at_least": 1.1},
    "seeds-small": {"at_least": 2},
    "seeds-wide": {"at_least": 2},
    "processor-events-small": {"at_least": 2.5},
    "processor-reference-wide": {"at_most": 0.3},
}


def main() -> None:
    found: dict[str, float] = {}
    for part in (*(partial(gains, load=load) for load in (WIDE, SMALL, LONG)), batches, rollouts):
        part(found)
        Path(os.environ.get("OUT", "."), "found.json").write_text(json.dumps(found, indent=1))
    name = f"{GPU.device_kind}, and {os.cpu_count()} cores beside it"
    print(record(__file__, "howto/make-training-fast", claims_of(found), device=name))


if __name__ == "__main__":
    GPU, PROCESSOR = jax.devices()[0], jax.devices("cpu")[-1]
    if GPU == PROCESSOR:
        sys.exit("expected JAX to find a GPU, it found none: install the JAX of your GPU")
    with brainstate.environ.context(dt=1.0 * u.ms):
        main()
