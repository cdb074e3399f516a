"""Techniques that make training fast, or do not, each beside one plain loop.

Three networks, small, wide and long. A technique changes one thing in the plain loop and takes
turns with it, so that a busy moment hits both; its gain is the median over turns of the loop's
time over its own. `nox -s evidence -- techniques` runs it, on a quiet machine in some minutes.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import brainpy.state
import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
from brainstate.transform import for_loop, scan

import trainable_spikes as ts
from evidence.recorded import record
from run.shell.measuring import Measured, measured
from trainable_spikes.events import EventClassifier, event_currents, event_lists, whole_trial

TURNS = int(os.environ.get("TECHNIQUES_TURNS", "9"))
SEEDS = 4  # networks trained side by side
DENSITIES = (0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Load:
    """A network, its data, and how many batches a turn trains on."""

    name: str
    n_steps: int
    batch: int
    n_in: int
    n_hidden: int
    n_out: int
    density: float
    batches: int


SMALL = Load("small", 200, 256, 100, 4, 2, 0.005, 32)
WIDE = Load("wide", 100, 128, 700, 256, 20, 0.02, 4)
LONG = Load("long", 2000, 32, 100, 128, 10, 0.005, 2)
LOADS = {load.name: load for load in (SMALL, WIDE, LONG)}


@dataclass
class Contender:
    """One way to train: a turn, seconds to its first result, and that result."""

    turn: Callable[[], Any]
    first: float
    gradients: Any = None
    temporaries: Callable[[], float] = lambda: math.nan


@cache
def data_of(load: Load) -> tuple[jax.Array, jax.Array]:
    """Make random spikes ``[N, T, n_in]`` and labels for the batches of a turn."""
    generator = np.random.default_rng(0)
    shape = (load.batch * load.batches, load.n_steps, load.n_in)
    spikes = generator.random(shape, np.float32) < load.density
    labels = generator.integers(load.n_out, size=shape[0])
    return jnp.asarray(spikes, brainstate.environ.dftype()), jnp.asarray(labels, jnp.int32)


@cache
def lists_of(load: Load) -> jax.Array:
    return jnp.asarray(event_lists(np.asarray(data_of(load)[0])))


def build(load: Load) -> ts.SpikingClassifier:
    """Build a network whose hidden layer spikes."""
    brainstate.random.seed(0)
    network = ts.SpikingClassifier(
        load.n_in,
        load.n_hidden,
        load.n_out,
        w_init=ts.fluctuation_driven(load.n_in, load.density * 1000.0 * u.Hz, distance=1.2),
    )
    brainstate.nn.init_all_states(network, batch_size=load.batch)
    for state in network.states().values():  # initial values are weakly typed: a compilation more
        state.value = jax.tree.map(lambda x: jax.lax.convert_element_type(x, x.dtype), state.value)
    return network


def loop(
    forward: Callable[[Any, Any], Any], load: Load, *, lists: bool = False, closed: bool = False
) -> Contender:
    """Train with a jitted step a batch; `forward` maps network and samples to scores."""
    network = build(load)
    weights = network.states(brainstate.ParamState)
    optimizer = braintools.optim.Adam(lr=1e-3)
    optimizer.register_trainable_weights(weights)
    inputs, targets = data_of(load)
    inputs = lists_of(load) if lists else inputs

    def step(inputs: Any, targets: Any, batch: Any) -> Any:
        def loss() -> Any:
            brainstate.nn.reset_all_states(network, batch_size=load.batch)
            return ts.cross_entropy(forward(network, inputs[batch]), targets[batch]).mean()

        gradients, value = brainstate.transform.grad(loss, weights, return_value=True)()
        optimizer.step(gradients)
        return value, gradients

    compiled = brainstate.transform.jit(step)
    call: Callable[..., Any] = partial(compiled, inputs, targets)
    if closed:
        call = brainstate.transform.jit(lambda batch: step(inputs, targets, batch))
    batches = np.arange(len(targets), dtype=np.int32).reshape(-1, load.batch)
    started = time.perf_counter()
    _, gradients = jax.block_until_ready(call(batches[0]))
    first = time.perf_counter() - started

    def turn() -> None:
        jax.block_until_ready([call(batch) for batch in batches][-1])

    def temporaries() -> float:
        analysis = compiled.compile(inputs, targets, batches[0]).memory_analysis()
        return float(analysis.temp_size_in_bytes)

    return Contender(turn, first, gradients, temporaries)


def plain(network: Any, x: Any, *, unroll: int = 1) -> Any:
    return for_loop(network.update, ts.time_first(x), unroll=unroll).mean(axis=0)


def after_input(network: Any, currents: Any) -> Any:
    def step(current: Any) -> Any:
        return network.readout(network.neuron(network.synapse(current)))

    return for_loop(step, currents).mean(axis=0)


def hoisted(network: Any, x: Any) -> Any:
    return after_input(network, network.input(ts.time_first(x)))


def currents_of_lists(network: Any, events: Any, *, load: Load) -> Any:
    weight = network.input.weight.value
    currents = event_currents(weight["weight"], events, load.n_steps)
    return after_input(network, currents + weight["bias"])


def folded(network: Any, x: Any) -> Any:
    """Apply the readout once, to spikes weighted by what the filter makes of them."""
    n_steps = x.shape[1]
    decay = float(np.exp(-(1.0 * u.ms) / network.readout.filter.tau))
    kernel = (1 - decay ** np.arange(n_steps, 0, -1.0)) / ((1 - decay) * n_steps)

    def step(total: Any, now: Any) -> Any:
        spikes, weight = now
        spikes = network.neuron(network.synapse(network.input(spikes)))
        return total + weight * spikes, None

    start = jnp.zeros(network.neuron.V.value.shape, x.dtype)
    total, _ = scan(step, start, (ts.time_first(x), jnp.asarray(kernel, x.dtype)))
    given = network.readout.weight.weight.value
    return total @ given["weight"] + given["bias"] * float(kernel.sum())


def other_product(network: Any, x: Any, *, product: Callable[[Any, Any], Any]) -> Any:
    """Multiply input spikes by weights in another way."""
    given = network.input.weight.value

    def step(spikes: Any) -> Any:
        current = product(spikes, given["weight"].to_decimal(u.mA)) * u.mA + given["bias"]
        return network.readout(network.neuron(network.synapse(current)))

    return for_loop(step, ts.time_first(x)).mean(axis=0)


def bfloat16(spikes: Any, weight: Any) -> Any:
    return (spikes.astype(jnp.bfloat16) @ weight.astype(jnp.bfloat16)).astype(spikes.dtype)


def binary_array(spikes: Any, weight: Any) -> Any:
    import brainevent
    from brainevent.config import set_backend

    set_backend("cpu", "jax_raw")  # what it takes by default needs numba
    return brainevent.BinaryArray(spikes) @ weight


def epochs(load: Load, *, lists: bool = False) -> Contender:
    """Train with `Trainer`: the batches of a turn in one compiled call."""
    network: Any = build(load)
    inputs, targets = data_of(load)
    options = {}
    if lists:
        network, inputs = EventClassifier(network, load.n_steps), lists_of(load)
        options = {"encode": whole_trial}
    trainer = ts.Trainer(network, braintools.optim.Adam(lr=1e-3), **options)
    data = ts.Dataset(inputs, targets)

    def turn() -> None:
        trainer.fit(data, epochs=1, batch_size=load.batch)

    started = time.perf_counter()
    turn()
    return Contender(turn, time.perf_counter() - started)


def pure(load: Load, *, donate: bool = False, seeds: int = 0) -> Contender:
    """Train with a function of weights, which can be donated, or be those of several networks."""

    def empty(init: Any) -> ts.SpikingClassifier:
        scores = brainstate.nn.Linear(load.n_hidden, load.n_out, w_init=init())
        leak = brainpy.state.Expon(
            load.n_out, tau=10.0 * u.ms, g_initializer=braintools.init.Constant(0.0)
        )
        return ts.SpikingClassifier(
            load.n_in,
            load.n_hidden,
            load.n_out,
            w_init=init(unit=u.mA),
            readout=brainstate.nn.Sequential(scores, leak),
        )

    brainstate.random.seed(0)
    fresh = empty(braintools.init.KaimingNormal).states(brainstate.ParamState)
    weights = {name: state.value for name, state in fresh.items()}
    weights["input", "weight"] = build(load).input.weight.value
    adam = optax.adam(1e-3)
    inputs, targets = data_of(load)

    def step(weights: Any, moments: Any, inputs: Any, targets: Any, batch: Any) -> Any:
        def loss(weights: Any) -> Any:
            network = empty(braintools.init.ZeroInit)
            brainstate.nn.init_all_states(network, batch_size=load.batch)
            for name, state in network.states(brainstate.ParamState).items():
                state.value = weights[name]
            return ts.cross_entropy(plain(network, inputs[batch]), targets[batch]).mean()

        value, gradients = jax.value_and_grad(loss)(weights)
        updates, moments = adam.update(gradients, moments, weights)
        return optax.apply_updates(weights, updates), moments, value

    kept = [weights, adam.init(weights)]
    if seeds:
        kept = jax.tree.map(lambda leaf: jnp.stack([leaf] * seeds), kept)
        step = jax.vmap(step, in_axes=(0, 0, None, None, None))
    compiled = jax.jit(step, donate_argnums=(0, 1) if donate else ())
    batches = np.arange(len(targets), dtype=np.int32).reshape(-1, load.batch)

    def turn() -> None:
        for batch in batches:
            *kept[:], value = compiled(*kept, inputs, targets, batch)
        jax.block_until_ready(value)

    started = time.perf_counter()
    turn()
    return Contender(turn, time.perf_counter() - started)


def events(network: Any, lists: Any, *, load: Load) -> Any:
    return EventClassifier(network, load.n_steps).update(lists)


def dense(network: Any, x: Any, *, load: Load) -> Any:
    return EventClassifier(network, load.n_steps).update(ts.time_first(x))


def remat(network: Any, x: Any) -> Any:
    return ts.rollout(network, ts.time_first(x), memory="remat").mean(axis=0)


def of_batch(factor: float, load: Load) -> Contender:
    """Train on the same samples in batches of another size."""
    batch = int(load.batch * factor)
    other = replace(load, batch=batch, batches=load.batch * load.batches // batch)
    return loop(plain, other)


TECHNIQUES: dict[str, Callable[[Load], Contender]] = {
    "reference": lambda load: loop(plain, load),
    "closed": lambda load: loop(plain, load, closed=True),
    "trainer": epochs,
    "trainer-events": lambda load: epochs(load, lists=True),
    "events": lambda load: loop(partial(events, load=load), load, lists=True),
    "currents": lambda load: loop(partial(currents_of_lists, load=load), load, lists=True),
    "dense": lambda load: loop(partial(dense, load=load), load),
    "hoisted": lambda load: loop(hoisted, load),
    "folded": lambda load: loop(folded, load),
    "remat": lambda load: loop(remat, load),
    "unroll-4": lambda load: loop(partial(plain, unroll=4), load),
    "unroll-16": lambda load: loop(partial(plain, unroll=16), load),
    "bfloat16": lambda load: loop(partial(other_product, product=bfloat16), load),
    "binary": lambda load: loop(partial(other_product, product=binary_array), load),
    "small-batch": partial(of_batch, 0.25),
    "large-batch": partial(of_batch, 4),
    "functional": pure,
    "donated": lambda load: pure(load, donate=True),
    "seeds": lambda load: pure(load, seeds=SEEDS),
}
# Tried on all three networks, and on two of them: compiling takes longer than measuring.
EVERYWHERE = (
    *("trainer", "trainer-events", "events", "currents", "dense", "hoisted", "folded", "remat"),
    "unroll-4",
)
ON_TWO = ("unroll-16", "bfloat16", "binary", "functional", "donated", "seeds")
ON_TWO += ("small-batch", "large-batch")
# What is compared; the tables of the page say how.
NAMES = (
    "trainer",
    "trainer-events",
    "events",
    "currents",
    "dense",
    "hoisted",
    "folded",
    "remat",
    "unroll-4",
    "unroll-16",
    "bfloat16",
    "binary",
    "donated",
    "seeds",
    "small-batch",
    "large-batch",
    "closed",
    "malloc",
    "malloc-events",
    "float64",
)
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}


def timed(turn: Callable[[], Any]) -> float:
    started = time.perf_counter()
    turn()
    return time.perf_counter() - started


def gain(reference: Callable[[], float], other: Callable[[], float]) -> float:
    """Median over turns of the reference's seconds over the other's."""
    reference(), other()
    return float(np.median([reference() / other() for _ in range(TURNS)]))


class Worker:
    """A fresh process that builds contenders and takes their turns when told to."""

    def __init__(self, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker"],
            env=os.environ | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str, name: str = "", load: str = "") -> float:
        assert self.process.stdin, "expected a pipe"
        assert self.process.stdout, "expected a pipe"
        print(what, name, load, sep=",", file=self.process.stdin, flush=True)
        return float(json.loads(self.process.stdout.readline()))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin, "expected a pipe"
        self.process.stdin.close()
        self.process.wait()


def work() -> None:
    """Serve a `Worker`: one line asks, one line answers."""
    made: dict[tuple[str, str], Contender] = {}
    if os.environ.get("JAX_ENABLE_X64"):
        brainstate.environ.set(precision=64)
    for line in sys.stdin:
        what, name, load = line.strip().split(",")
        if what == "build":
            made[name, load] = TECHNIQUES[name](LOADS[load])
            answer = made[name, load].first
        elif what == "turn":
            answer = timed(made[name, load].turn)
        else:
            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer), flush=True)


def gains(found: dict[str, float], load: Load) -> None:
    """Measure in this process: gains, first calls, gradients, memory."""
    names = EVERYWHERE if load is LONG else EVERYWHERE + ON_TWO
    reference = TECHNIQUES["reference"](load)
    made = {"reference": reference}
    for name in names:
        made[name] = other = TECHNIQUES[name](load)
        against = made["functional"] if name in ("donated", "seeds") else reference
        ratio = gain(partial(timed, against.turn), partial(timed, other.turn))
        found[f"{name}-{load.name}"] = ratio * (SEEDS if name == "seeds" else 1)
        line = f"{load.name:6}{name:15}{found[f'{name}-{load.name}']:6.2f}"
        if other.gradients is not None and "batch" not in name:
            pairs = zip(
                jax.tree.leaves(other.gradients), jax.tree.leaves(reference.gradients), strict=True
            )
            off = max(float(abs(a - b).max() / abs(b).max()) for a, b in pairs)
            found[f"off-{name}-{load.name}"] = off
            line += f"  gradients differ by {off:.0e}"
        print(line, f" first call {other.first:.1f} s", flush=True)
    found[f"rate-{load.name}"] = hidden_rate(load)
    found[f"reference-{load.name}"] = timed(reference.turn) / load.batches * 1000
    for name in ("events", "remat"):
        share = made[name].temporaries() / reference.temporaries()
        found[f"memory-{name}-{load.name}"] = share
    if "unroll-16" in made:
        found[f"compile-unroll-16-{load.name}"] = made["unroll-16"].first / reference.first
    dense = np.asarray(data_of(load)[0])
    building = timed(partial(event_lists, dense))
    saved = timed(reference.turn) - timed(made["events"].turn)
    found[f"lists-{load.name}"] = building / saved
    print(load.name, {k: round(v, 4) for k, v in found.items() if k.endswith(load.name)})


def hidden_rate(load: Load) -> float:
    seen = ts.record(build(load), ts.time_first(data_of(load)[0][: load.batch]))
    return float(seen.spikes.mean()) * 1000


def ten_thousand(found: dict[str, float]) -> None:
    """Measure ten thousand steps with remat beside a thousand of the plain loop."""
    made, per_step = [], []
    for n_steps, memory in ((1000, "plain"), (10_000, "remat")):
        load = replace(LONG, n_steps=n_steps, batches=1)
        spikes, targets = data_of(load)
        made.append(one_batch(load, memory, jax.block_until_ready(ts.time_first(spikes)), targets))
    turns = [contender.turn for contender in made]
    for _ in range(TURNS):
        shorter, longer = (timed(turn) for turn in turns)
        per_step.append(longer / shorter / 10)
    found["10000-time"] = float(np.median(per_step))
    found["10000-memory"] = made[1].temporaries() / 1e6
    print({k: round(v, 3) for k, v in found.items() if k.startswith("10000")}, per_step, flush=True)


def one_batch(load: Load, memory: Any, spikes: Any, targets: Any) -> Contender:
    """Train on one batch, its time axis first, with the memory that is asked for."""
    network = build(load)
    weights = network.states(brainstate.ParamState)
    optimizer = braintools.optim.Adam(lr=1e-3)
    optimizer.register_trainable_weights(weights)

    @brainstate.transform.jit
    def step(spikes: Any, targets: Any) -> Any:
        def loss() -> Any:
            brainstate.nn.reset_all_states(network, batch_size=load.batch)
            scores = ts.rollout(network, spikes, memory=memory).mean(axis=0)
            return ts.cross_entropy(scores, targets).mean()

        gradients, value = brainstate.transform.grad(loss, weights, return_value=True)()
        optimizer.step(gradients)
        return value

    def turn() -> None:
        jax.block_until_ready(step(spikes, targets))

    def temporaries() -> float:
        return float(step.compile(spikes, targets).memory_analysis().temp_size_in_bytes)

    first = timed(turn)
    turn()  # what the optimizer holds is of another type after the first
    return Contender(turn, first, temporaries=temporaries)


def sweep(found: dict[str, float]) -> None:
    """Measure the wide network on input of other densities."""
    ratios = []
    for density in DENSITIES:
        load = replace(WIDE, density=density, batches=2)
        reference, other = TECHNIQUES["reference"](load), TECHNIQUES["events"](load)
        ratios.append(gain(partial(timed, reference.turn), partial(timed, other.turn)))
        found[f"density-{1e4 * density:.0f}"] = ratios[-1]
        print(f"density {density:.2%}: {ratios[-1]:.2f}", flush=True)
    falling = np.minimum.accumulate(np.log(ratios))
    found["crossover"] = float(np.exp(np.interp(0, -falling, np.log(DENSITIES))))


def processes(found: dict[str, float]) -> None:
    """Measure what needs a process of its own."""
    for name in ("small", "wide"):
        with Worker() as plainly, Worker() as closing:
            first = plainly.ask("build", "reference", name)
            closed = closing.ask("build", "closed", name)
            found[f"closed-{name}"] = gain(
                partial(plainly.ask, "turn", "reference", name),
                partial(closing.ask, "turn", "closed", name),
            )
            found[f"closed-compile-{name}"] = closed / first
            found[f"closed-memory-{name}"] = closing.ask("peak") - plainly.ask("peak")
        print({k: round(v, 2) for k, v in found.items() if k.startswith("closed")}, flush=True)
    with Worker() as plainly, Worker(**MALLOC) as mapped, Worker(JAX_ENABLE_X64="1") as double:
        for name in ("wide", "small", "long"):
            plainly.ask("build", "reference", name)
            turn = partial(plainly.ask, "turn", "reference", name)
            for worker, which, label in (
                (mapped, "reference", "malloc"),
                (mapped, "events", "malloc-events"),
                (double, "reference", "float64"),
            ):
                worker.ask("build", which, name)
                found[f"{label}-{name}"] = gain(turn, partial(worker.ask, "turn", which, name))
                print(f"{name:6}{label:15}{found[f'{label}-{name}']:6.2f}", flush=True)
                if label == "malloc" and name == "wide":  # the first
                    found["malloc-memory"] = mapped.ask("peak") - plainly.ask("peak")
    with tempfile.TemporaryDirectory() as folder:
        variables = {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        seconds = []
        for _ in range(2):
            with Worker(**variables) as worker:
                seconds.append(worker.ask("build", "trainer-events", "wide"))
    found["cache"] = seconds[0] / seconds[1]
    print(f"first calls without and with a cache: {seconds}", flush=True)


def measurements(found: dict[str, float]) -> list[Measured]:
    made: list[Measured] = []
    for name in NAMES:
        gained = {load: found[f"{name}-{load}"] for load in LOADS if f"{name}-{load}" in found}
        made += measured(f"fast-{name}", gained)
    made += measured("fast-rate", {load: found[f"rate-{load}"] for load in LOADS})
    made += measured("fast-reference", {load: found[f"reference-{load}"] for load in LOADS})
    shares = ("events-wide", "events-long", "remat-long")
    made += measured("fast-memory", {which: found[f"memory-{which}"] for which in shares})
    made += measured("fast-lists", {load: found[f"lists-{load}"] for load in ("small", "wide")})
    by_density = {f"{100 * d:g}": found[f"density-{1e4 * d:.0f}"] for d in DENSITIES}
    made += measured("fast-by-density", by_density)
    made += measured("fast-first-call", {"processor": found["compile-unroll-16-small"]})
    for name in ALONE:
        made += measured(f"fast-{name}", found[name])
    off = {name: [v for k, v in found.items() if k.startswith(f"off-{name}-")] for name in NAMES}
    return made + measured("fast-off", {name: max(each) for name, each in off.items() if each})


ALONE = (
    "crossover",
    "10000-memory",
    "10000-time",
    "closed-compile-wide",
    "closed-memory-wide",
    "malloc-memory",
    "cache",
)


def main() -> None:
    found: dict[str, float] = {}
    started = time.perf_counter()
    # Processes first: they need the memory that this one will hold.
    each = (partial(gains, load=load) for load in LOADS.values())
    for part in (processes, ten_thousand, *each, sweep):
        part(found)
        print(f"-- {time.perf_counter() - started:.0f} s", flush=True)
    print(record(__file__, "howto/make-training-fast", measurements(found)))


if __name__ == "__main__":
    with brainstate.environ.context(dt=1.0 * u.ms):
        work() if "--worker" in sys.argv else main()
