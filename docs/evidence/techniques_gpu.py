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

import brainstate
import brainunit as u
import jax
import numpy as np
from techniques import (
    LOADS,
    LONG,
    NAMES,
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

from evidence.recorded import record
from run.shell.measuring import Measured, measured

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


def measurements(found: dict[str, float]) -> list[Measured]:
    """Everything is relative to the plain loop on the GPU, unless its table says otherwise."""
    made: list[Measured] = []
    for name in (*NAMES, *(f"processor-{name}" for name in ON_PROCESSOR)):
        gained = {load: found[f"{name}-{load}"] for load in LOADS if f"{name}-{load}" in found}
        made += measured(f"gpu-{name}", gained) if gained else []
    made += measured("gpu-loop", {load: found[f"loop-{load}"] for load in LOADS})
    made += measured("gpu-batch", {str(batch): found[f"batch-{batch}"] for batch in BATCHES})
    made += measured("gpu-batch-growth", found["batch-growth"])
    made += measured("fast-first-call", {"gpu": found["first-small"]})
    for what in ("memory", "time"):
        modes = {mode: found[f"{mode}-10000-{what}"] for mode in ("plain", "remat")}
        made += measured(f"gpu-10000-{what}", modes)
    return made


def main() -> None:
    found: dict[str, float] = {}
    for part in (*(partial(gains, load=load) for load in (WIDE, SMALL, LONG)), batches, rollouts):
        part(found)
        Path(os.environ.get("OUT", "."), "found.json").write_text(json.dumps(found, indent=1))
    name = f"{GPU.device_kind}, and {os.cpu_count()} cores beside it"
    print(record(__file__, "howto/make-training-fast", measurements(found), device=name))


if __name__ == "__main__":
    GPU, PROCESSOR = jax.devices()[0], jax.devices("cpu")[-1]
    if GPU == PROCESSOR:
        sys.exit("expected JAX to find a GPU, it found none: install the JAX of your GPU")
    with brainstate.environ.context(dt=1.0 * u.ms):
        main()
