"""Where the time of training goes: what starting costs, what a step costs, and how it grows.

Runs each first session in a process of its own. All other times are the least of rounds
that visit everything that is compared in turn. Beside the record it draws the figures of the page.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()

import brainstate  # noqa: E402  # a session begins with what it imports
import braintools  # noqa: E402
import brainunit as u  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import trainable_spikes as ts  # noqa: E402
from trainable_spikes.events import EventClassifier, event_lists  # noqa: E402

IMPORTED = time.perf_counter() - STARTED
PAGE = "concepts/where-the-time-goes"
ROUNDS = int(os.environ.get("TIME_ROUNDS", "15"))
SESSIONS = int(os.environ.get("TIME_SESSIONS", "3"))
CHILD = "--session"
LATER = 20  # epochs that the figure of first sessions shows beside the first
PARTS = ("import", "trace", "compile", "first epoch", "a later epoch")


@dataclass(frozen=True)
class Size:
    """The sizes of a training step."""

    n_steps: int
    batch: int
    n_in: int
    n_hidden: int
    n_out: int
    density: float = 0.02

    def network(self) -> ts.SpikingClassifier:
        """Build a network whose hidden neurons spike."""
        brainstate.random.seed(0)
        rate = min(self.density, 0.5) / u.ms
        w_init = ts.fluctuation_driven(self.n_in, rate)
        return ts.SpikingClassifier(self.n_in, self.n_hidden, self.n_out, w_init=w_init)

    def batch_of_spikes(self) -> tuple[jax.Array, jax.Array]:
        """Draw input ``[T, B, n_in]`` and labels."""
        generator = np.random.default_rng(0)
        chance = generator.random((self.n_steps, self.batch, self.n_in), dtype=np.float32)
        labels = generator.integers(self.n_out, size=self.batch)
        return jnp.asarray(chance < self.density, jnp.float32), jnp.asarray(labels, jnp.int32)

    @property
    def flops(self) -> int:
        """Operations of the products in a step: outputs, weights' gradients, hidden gradients."""
        steps = 2 * self.n_steps * self.batch
        return steps * self.n_hidden * (2 * self.n_in + 3 * self.n_out)

    @property
    def traffic(self) -> int:
        """Bytes moved at least: stored numbers and input, as the page counts them, twice each."""
        numbers = 3 * self.n_hidden + self.n_out + self.n_in
        return 2 * 4 * self.n_steps * self.batch * numbers


SMALL = Size(200, 256, 100, 4, 2)
WIDE = Size(100, 128, 700, 256, 20)
LONG = Size(2000, 32, 100, 128, 10)
SINGLE = Size(200, 1, 100, 4, 2)
NETWORKS = {"single": SINGLE, "small": SMALL, "long": LONG, "wide": WIDE}


def say(*words: object) -> None:
    """Print progress."""
    print(f"{time.perf_counter() - STARTED:6.0f} s", *words, flush=True)


def loss_of(size: Size) -> tuple[ts.SpikingClassifier, Callable[..., jax.Array]]:
    """Build a network and its loss as a function of input and labels."""
    network = size.network()
    brainstate.nn.init_all_states(network, batch_size=size.batch)

    def loss(spikes: jax.Array, labels: jax.Array) -> jax.Array:
        brainstate.nn.reset_all_states(network, batch_size=size.batch)
        return ts.cross_entropy(ts.rollout(network, spikes).mean(axis=0), labels).mean()

    return network, loss


def gradient_of(network: brainstate.nn.Module, loss: Callable[..., jax.Array]) -> Any:
    """Return the gradient by the weights, and the loss."""
    weights = network.states(brainstate.ParamState)
    return brainstate.transform.grad(loss, weights, return_value=True)


def compiled(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """Compile a function and return a call of it that waits for the result."""
    fast = brainstate.transform.jit(function)
    jax.block_until_ready(fast(*arguments))
    return lambda: jax.block_until_ready(fast(*arguments))


def dense_step(size: Size) -> Callable[[], Any]:
    """Compile the gradient of a batch given as spikes."""
    return compiled(gradient_of(*loss_of(size)), *size.batch_of_spikes())


def event_step(size: Size) -> Callable[[], Any]:
    """Compile the gradient of a batch given as events."""
    network = EventClassifier(size.network(), size.n_steps)
    spikes, labels = size.batch_of_spikes()
    events = jnp.asarray(event_lists(ts.time_first(spikes)))

    def loss(events: jax.Array, labels: jax.Array) -> jax.Array:
        return ts.cross_entropy(network.update(events), labels).mean()

    return compiled(gradient_of(network, loss), events, labels)


def least(calls: dict[Any, Callable[[], Any]], rounds: int = ROUNDS) -> dict[Any, float]:
    """Time all calls in turn, several rounds; what else runs only adds, so return the least."""
    seconds: dict[Any, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return {name: min(values) for name, values in seconds.items()}


def session(name: str) -> None:
    """Train in this process, which has just begun, and print seconds of each of `PARTS`."""
    compiling: list[float] = []

    def listen(event: str, duration: float, **_: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiling.append(duration)

    size = NETWORKS[name]
    data = ts.random_labels(4 * size.batch, size.n_steps, size.n_in, size.n_out, 20.0 * u.Hz)
    trainer = ts.Trainer(size.network(), braintools.optim.Adam(lr=1e-3))
    jax.monitoring.register_event_duration_secs_listener(listen)
    start = time.perf_counter()
    trainer.fit(data, epochs=1, batch_size=size.batch)
    first = time.perf_counter() - start
    compiling_first = sum(compiling)
    later = least({0: lambda: trainer.fit(data, epochs=1, batch_size=size.batch)}, 10)[0]
    print(IMPORTED, first - compiling_first - later, compiling_first, later, later)


def first_sessions(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Run sessions in new processes, in turn; return the least of each part."""
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(SESSIONS):
        for name in names:
            command = [sys.executable, __file__, CHILD, name]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[name].append([float(word) for word in printed.splitlines()[-1].split()])
    return {name: np.min(values, axis=0) for name, values in found.items()}


def rates() -> dict[str, Callable[[], Any]]:
    """Return calls that multiply two matrices, and that read and write 256 MiB each."""
    matrix, vector = jnp.ones((1024, 1024)), jnp.ones(2**26)
    return {
        "gemm": compiled(lambda a: a @ a, matrix),
        "copy": compiled(lambda a: a + 1, vector),
    }


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Fit a power law; return its exponent and the standard error of that."""
    x, y = np.log(sizes), np.log(seconds)
    slope, offset = np.polyfit(x, y, 1)
    rest = np.sum((y - slope * x - offset) ** 2) / (len(x) - 2)
    return float(slope), float(np.sqrt(rest / np.sum((x - x.mean()) ** 2)))


@dataclass(frozen=True)
class Curve:
    """A size that is varied, the steps compared, and where an exponent is fitted."""

    label: str
    values: tuple[float, ...]
    make: Callable[[float], Callable[[], Any]]
    fits: dict[str, slice]


CURVES = {
    "steps": Curve(
        "time steps T",
        (125, 250, 500, 1000, 2000),
        lambda v: dense_step(Size(int(v), 32, 100, 128, 10)),
        {"steps": slice(None)},
    ),
    "batch": Curve(
        "batch size B",
        (1, 2, 4, 8, 32, 128, 512, 1024, 2048),
        lambda v: dense_step(Size(50, int(v), 100, 32, 2)),
        {"batch-few": slice(0, 4), "batch-many": slice(-4, None)},
    ),
    "width": Curve(
        "hidden neurons",
        (4, 8, 16, 32, 128, 512, 1024, 2048, 4096),
        lambda v: dense_step(Size(50, 32, 100, int(v), 2)),
        {"width-narrow": slice(0, 4), "width-wide": slice(-4, None)},
    ),
    "dense": Curve(
        "share of inputs that spike",
        (0.005, 0.01, 0.02, 0.04, 0.08, 0.16),
        lambda v: dense_step(Size(100, 128, 700, 256, 20, v)),
        {"dense": slice(None)},
    ),
    "events": Curve(
        "share of inputs that spike",
        (0.005, 0.01, 0.02, 0.04, 0.08, 0.16),
        lambda v: event_step(Size(100, 128, 700, 256, 20, v)),
        {"events-sparse": slice(0, 3), "events-busy": slice(-3, None)},
    ),
}


def training_step(size: Size, steps: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Compile optimizer steps, one a call and `steps` in a call; both calls do `steps`."""
    network, loss = loss_of(size)
    gradient = gradient_of(network, loss)
    optimizer = braintools.optim.Adam(lr=1e-3)
    optimizer.register_trainable_weights(network.states(brainstate.ParamState))

    def step(spikes: jax.Array, labels: jax.Array) -> jax.Array:
        gradients, value = gradient(spikes, labels)
        optimizer.step(gradients)
        return value

    def several(spikes: jax.Array, labels: jax.Array) -> jax.Array:
        return brainstate.transform.for_loop(lambda _: step(spikes, labels), jnp.arange(steps))

    batch = size.batch_of_spikes()
    one, together = compiled(step, *batch), compiled(several, *batch)
    return (lambda: [one() for _ in range(steps)]), together


def save(figure: Any, name: str) -> None:
    """Write a figure beside this script, the same bytes for the same numbers."""
    path = Path(__file__).with_name(f"where_time_goes_{name}.svg")
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


def draw_sessions(found: dict[str, np.ndarray]) -> None:
    """Draw the parts of a first session, a bar for each network."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
    for row, seconds in enumerate(found.values()):
        left = 0.0
        for part, width, color in zip(PARTS, seconds, ["C0", "C1", "C3", "C5", "k"], strict=True):
            width = LATER * width if part == PARTS[-1] else width
            label = f"{LATER} later epochs" if part == PARTS[-1] else part
            ax.barh(row, width, left=left, color=color, label=None if row else label)
            left += width
    ax.set_yticks(range(len(found)), list(found))
    ax.invert_yaxis()
    ax.set(xlabel="time since the start of Python (s)", ylabel="network")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    save(figure, "session")


def draw_roofline(gemm: float, copy: float, points: dict[str, tuple[float, float]]) -> None:
    """Draw rates in GFLOP/s over operations a byte, under the roof of two measured rates."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
    intensity = np.geomspace(0.3, 300, 200)
    ax.loglog(intensity, np.minimum(gemm, copy * intensity), "k", label="roof")
    for (name, (x, y)), mark in zip(points.items(), ["C3D", "C0o", "C5^", "C1s"], strict=True):
        ax.loglog(x, y, mark, markersize=9, label=name)
        ax.vlines(x, y, min(gemm, copy * x), mark[:2], linestyle=":")
    ax.set(xlabel="operations a byte moved (FLOP/B)", ylabel="rate (GFLOP/s)")
    ax.legend(loc="lower right")
    save(figure, "roofline")


def draw_growth(
    seconds: dict[str, dict[float, float]], fitted: dict[str, tuple[float, float]]
) -> None:
    """Draw the time of a step against each size, with the fitted power laws."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(7, 6.2), layout="constrained")
    places = dict(zip(CURVES, [*axes.flat, axes.flat[-1]], strict=True))
    for (name, curve), mark in zip(
        CURVES.items(), ["C0o", "C0o", "C0o", "C0o", "C1s"], strict=True
    ):
        ax, values = places[name], np.array(curve.values)
        times = 1e3 * np.array([seconds[name][value] for value in curve.values])
        dual = name in ("dense", "events")
        ax.loglog(values, times, mark, label=name if dual else None)
        for part, where in curve.fits.items():
            slope, error = fitted[part]
            x = values[where]
            middle = np.exp(np.log(times[where]).mean())
            line = middle * (x / np.exp(np.log(x).mean())) ** slope
            ax.loglog(x, line, mark[:2], linewidth=1)
            steep = slope > 0.5
            place = len(x) // 2 if steep else 0
            ax.annotate(
                f"{slope:.2f} ± {error:.2f}".replace("-", "−"),
                (x[place], line[place]),
                (-6, 4) if steep else (0, 12),
                textcoords="offset points",
                ha="right" if steep else "left",
                color=mark[:2],
            )
        ax.set(xlabel=f"{curve.label} (no unit)", ylabel="time of a step (ms)")
        ax.margins(0.12, 0.25)
        if dual:
            ax.legend(loc="lower right", title="input as")
    save(figure, "growth")


def main() -> None:
    import matplotlib.pyplot as plt

    from evidence.recorded import record
    from run.shell.measuring import Measured, measured

    plt.style.use("tableau-colorblind10")
    plt.rcParams["svg.hashsalt"] = "where_time_goes"
    values: list[Measured] = []

    found = first_sessions(["small", "wide"])
    draw_sessions(found)
    for name, seconds in found.items():
        say("session", name, dict(zip(PARTS, np.round(seconds, 3), strict=True)))
    first, epochs, needed = {}, {}, {}
    for name, seconds in found.items():
        for part, value in zip(("import", "trace", "compile"), seconds, strict=False):
            first[f"{part}-{name}"] = value * u.second
        epochs[name] = float(seconds[4]) * 1e3 * u.ms
        needed[name] = float(sum(seconds[:3])) / float(seconds[4])
    values += measured("time-session", first)
    values += measured("time-epoch", epochs) + measured("time-epochs", needed)

    calls: dict[Any, Callable[[], Any]] = dict(rates())
    for name, size in NETWORKS.items():
        network, loss = loss_of(size)
        batch = size.batch_of_spikes()
        recording = ts.record(network, batch[0])
        say(name, "hidden spikes a step", float(np.mean(recording.spikes)))
        calls[name, "forward"] = compiled(loss, *batch)
        calls[name, "gradient"] = compiled(gradient_of(network, loss), *batch)
    flat = jnp.ones((SMALL.n_steps * SMALL.batch, SMALL.n_in))
    calls["thin"] = compiled(lambda a, b: a @ b, flat, jnp.ones((SMALL.n_in, SMALL.n_hidden)))
    wide = gradient_of(*loss_of(WIDE))
    spikes, labels = WIDE.batch_of_spikes()
    fast = brainstate.transform.jit(wide)
    for value in (0, 1):
        filled = jnp.full_like(spikes, value)
        calls["filled", value] = lambda x=filled: jax.block_until_ready(fast(x, labels))
        calls["filled", value]()
    say("compiled the three networks")
    typical = least(calls)
    gemm = 2 * 1024**3 / typical["gemm"] / 1e9
    copy = 2 * 4 * 2**26 / typical["copy"] / 1e9
    say(f"GEMM {gemm:.0f} GFLOP/s, copy {copy:.1f} GB/s")
    values += measured("time-gemm", gemm) + measured("time-copy", copy)
    points = {}
    step, products, traffic, floor = {}, {}, {}, {}
    for name, size in NETWORKS.items():
        seconds, bytes_moved = typical[name, "gradient"], size.traffic
        points[name] = (size.flops / bytes_moved, size.flops / seconds / 1e9)
        arithmetic, moving = size.flops / gemm / 1e9, bytes_moved / copy / 1e9
        say(
            f"{name}: {1e3 * seconds:.2f} ms, products {1e3 * arithmetic:.2f} ms, traffic "
            f"{1e3 * moving:.2f} ms, forward {1e3 * typical[name, 'forward']:.2f} ms"
        )
        step[name] = seconds * 1e3 * u.ms
        products[name], traffic[name] = arithmetic / seconds, moving / seconds
        floor[name] = seconds / max(arithmetic, moving)
    values += measured("time-step", step) + measured("time-products", products)
    values += measured("time-traffic", traffic) + measured("time-floor", floor)
    backward = {
        name: typical[name, "gradient"] / typical[name, "forward"]
        for name in ("small", "long", "wide")
    }
    values += measured("time-backward", backward)
    draw_roofline(gemm, copy, points)
    alone = typical["single", "gradient"]
    operations = 2 * SMALL.n_steps * SMALL.batch * SMALL.n_in * SMALL.n_hidden
    values += measured("time-one-sample", alone / typical["small", "gradient"])
    values += measured("time-thin", operations / typical["thin"] / 1e9 / gemm)
    values += measured("time-loop", alone / SINGLE.n_steps * 1e6 * u.us)
    values += measured("time-zeros", typical["filled", 0] / typical["filled", 1])

    seconds_by: dict[str, dict[float, float]] = {}
    fitted: dict[str, tuple[float, float]] = {}
    together: dict[Any, Callable[[], Any]] = {}
    for name, curve in CURVES.items():
        if name != "events":
            together = {}
        together |= {(name, value): curve.make(value) for value in curve.values}
        if name == "dense":
            continue
        times = least(together)
        for (of, value), time_of in times.items():
            seconds_by.setdefault(of, {})[value] = time_of
    for name, curve in CURVES.items():
        times_of = [seconds_by[name][value] for value in curve.values]
        say(name, dict(zip(curve.values, np.round(1e3 * np.array(times_of), 2), strict=True)))
        for part, where in curve.fits.items():
            fitted[part] = exponent(curve.values[where], times_of[where])
            say("  exponent", part, "{:.3f} ± {:.3f}".format(*fitted[part]))
    draw_growth(seconds_by, fitted)
    parts = ("steps", "batch-few", "batch-many", "width-narrow", "width-wide", "dense")
    growth = {
        part: round(fitted[part][0], 2) + 0.0  # no minus zero
        for part in (*parts, "events-sparse", "events-busy")
    }
    values += measured("time-growth", growth)
    values += measured("time-growth-error", max(error for _, error in fitted.values()))
    sparse, busy = (seconds_by["dense"][d] / seconds_by["events"][d] for d in (0.02, 0.16))
    values += measured("time-events-gain", sparse) + measured("time-events-gain-busy", busy)

    calls = {}
    per_call = {"tiny": Size(20, 16, 100, 4, 2), "small": SMALL, "wide": WIDE}
    n_together = 10
    for name, size in per_call.items():
        calls[name, "one"], calls[name, "many"] = training_step(size, n_together)
    typical = least(calls)
    gain = {}
    for name in per_call:
        one, many = typical[name, "one"] / n_together, typical[name, "many"] / n_together
        say(f"{name}: {1e3 * one:.3f} ms a step alone, {1e3 * many:.3f} together")
        gain[name] = one / many
    values += measured("time-together", gain)
    print(record(__file__, PAGE, values))


if __name__ == "__main__":
    brainstate.environ.set(dt=1.0 * u.ms)
    if CHILD in sys.argv:
        session(sys.argv[-1])
    else:
        main()
