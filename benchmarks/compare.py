"""Compare a training step of this package with that of other libraries.

``nox -s bench`` makes both environments and runs it, which writes docs/gallery/data/benchmark.json;
``--help`` lists what can be chosen.

Every contender works in its own process (:mod:`worker`). One works at a time, for a block of
about 0.3 s, while the others sleep; a round has one block of each, in a shuffled order. A block
during which other processes used more than a tenth of the cores does not count.

The record is one JSON object, written after every stage:

``provenance``
    Date, machine, versions, flags, load before, and hashes of the code that made it.
``contenders``
    By name: ``difference`` from the reference's arithmetic, ``versions``, ``python``.
``sizes``
    By workload: its sizes and density, and the digest of its data and weights.
``rows``
    ``{workload, contender, allocator, ms, ms_low, ms_high, blocks, left_out, ratio, ratio_low,
    ratio_high, ...}``: median and quartiles of the step time; the time over the reference's in
    the same round (below 1 is faster); first ``loss``, ``gradient_norm`` and ``rate_hz`` before
    training and ``rate_end_hz`` after it; ``import_seconds``, ``build_seconds``,
    ``prepare_seconds``, ``compile_seconds`` (of the first call, less a later one);
    ``peak_mib`` and ``import_mib``. A null stands where too few blocks were quiet.
``limits``
    ``{workload, forward_gflops, weight_gradient_gflops, copy_gbs}``; the contender ``gemm`` of
    ``rows`` does just the matrix products of a step.
``growth``
    ``{contender, axis, value, ms, ratio, blocks, left_out}``, one size changed at a time.
``slopes``
    ``{contender, axis, slope, error}``: fitted to log time over log size.
``accuracy``
    ``{contender, seed, reached, steps, seconds, compile_seconds, accuracy, ...}``: training
    until the target on held-out images; ``seconds`` of training steps only.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

import summary
import workloads
from run.code import digest_of_code

ROOT = Path(__file__).resolve().parents[1]
TORCH = ("snntorch", "spikingjelly", "norse", "torch_adjoint")
JAX = ("reference", "trainer", "remat", "events", "dense", "spyx", "sparxml", "gemm")
REFERENCE, LIMITS = "reference", "gemm"
CONTENDERS = tuple(
    name for name in JAX + TORCH if (ROOT / "benchmarks/contenders" / f"{name}.py").exists()
)

# An idle worker's threads must not spin: they would slow the one that works.
FLAGS = {
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
    "PYTHONHASHSEED": "0",
}
# Keep large temporaries mapped, instead of giving them back and asking for zeroed pages anew.
MAPPED = {
    "MALLOC_MMAP_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TOP_PAD_": str(512 * 2**20),
}
TARGET_ACCURACY, BATCHES_BETWEEN_EVALUATIONS, LONGEST_RUN = 0.78, 20, 200.0


class Contender:
    """A worker process and what it has said."""

    def __init__(
        self, name: str, python: str, given: Any, images: Path, extra: dict[str, str] | None = None
    ) -> None:
        self.name = name
        # Not a pipe: one that nobody reads fills up.
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [python, Path(__file__).with_name("worker.py"), name, _argument(given), images],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, **FLAGS, **(extra or {})},
        )
        self.said = self._hear()

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the reply."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(f"it ended:\n{self.errors.read()[-2000:]}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def measured_block(self, steps: int) -> dict[str, Any]:
        """One block, with the share of the cores that others used meanwhile."""
        busy, used, started = _busy(), time.process_time(), time.perf_counter()
        block = self.ask("block", steps=steps)
        own = block["core_seconds"] + time.process_time() - used
        seconds = time.perf_counter() - started
        share = summary.foreign_share(_busy() - busy, own, seconds, psutil.cpu_count() or 1)
        return {**block, "steps": steps, "foreign": share}

    def stop(self) -> None:
        """End the process, politely where it still listens."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def _argument(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given)


def _busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0)) - _counted_twice(times)


def _counted_twice(times: Any) -> float:
    return float(getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0))


def wait_until_quiet(limit: float, longest: float = 5.0) -> None:
    """Sleep until other processes rest, but not for ever: the blocks themselves are judged."""
    deadline = time.monotonic() + longest
    while limit < 1 and psutil.cpu_percent(interval=0.1) > 100 * limit:
        if time.monotonic() > deadline:
            return


def rounds_of_blocks(
    contenders: list[Contender],
    rounds: int,
    target: float,
    seconds: float,
    least: int,
    limit: float,
) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Blocks of all contenders in turns; `seconds` ends it early once there are `least`.

    Returns the blocks by contender, and what failed; a contender that fails leaves `contenders`.
    """
    shuffle = random.Random(0)
    steps: dict[str, int] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    failed = []

    def attempt(contender: Contender, work: Any) -> None:
        try:
            work(contender)
        except (RuntimeError, OSError) as error:
            failed.append(f"{contender.name}: {error}")
            contenders.remove(contender)
            found.pop(contender.name, None)

    def warm_up(contender: Contender) -> None:
        # Not counted: caches warm up, and a second call may compile again.
        granule = contender.said["granule"]
        block = contender.ask("block", steps=granule)
        if block["seconds"] < target:
            block = contender.ask("block", steps=granule)
        contender.said["warm_seconds"] = block["seconds"]
        steps[contender.name] = summary.block_steps(block["seconds"] / granule, granule, target)
        found[contender.name] = []

    def measure(contender: Contender) -> None:
        found[contender.name].append(contender.measured_block(steps[contender.name]))

    for contender in list(contenders):
        attempt(contender, warm_up)
    started = time.monotonic()
    for number in range(rounds):
        if number >= least and time.monotonic() - started > seconds:
            break
        wait_until_quiet(limit)
        for contender in shuffle.sample(contenders, len(contenders)):
            attempt(contender, measure)
    return found, failed


def summarise(blocks: dict[str, list[Any]], least: int, limit: float) -> dict[str, dict[str, Any]]:
    """By contender: step time and ratio to the reference, of the blocks that were quiet."""
    times = {
        name: {
            number: 1000 * block["seconds"] / block["steps"]
            for number, block in enumerate(measured)
            if summary.is_quiet(block["foreign"], limit)
        }
        for name, measured in blocks.items()
    }
    found = {}
    for name, kept in times.items():
        enough = len(kept) >= least
        low, middle, high = summary.quartiles(list(kept.values())) if enough else (None,) * 3
        ratios = summary.paired_ratios(kept, times.get(REFERENCE, {})) if enough else None
        ratio_low, ratio, ratio_high = ratios or (None,) * 3
        found[name] = {
            "ms": middle,
            "ms_low": low,
            "ms_high": high,
            "blocks": len(kept),
            "left_out": len(blocks[name]) - len(kept),
            "ratio": ratio,
            "ratio_low": ratio_low,
            "ratio_high": ratio_high,
        }
    return found


class Run:
    """What was asked for, and the record as far as it has come."""

    def __init__(self, options: argparse.Namespace, images: Path) -> None:
        self.options, self.images = options, images
        self.record: dict[str, Any] = {
            "provenance": provenance(),
            "contenders": {},
            "sizes": {},
            **{stage: [] for stage in ("rows", "limits", "growth", "slopes", "accuracy")},
        }
        self.missing: list[str] = []

    def python(self, name: str) -> str:
        """The interpreter whose environment has the contender's library."""
        return self.options.torch_python if name in TORCH else sys.executable

    def start(
        self, names: Iterable[str], given: Any, extra: dict[str, str] | None = None
    ) -> list[Contender]:
        """Start workers one after the other; a library that is missing is said and left out."""
        started = []
        for name in names:
            wait_until_quiet(self.options.limit, 2.0)
            try:
                contender = Contender(name, self.python(name), given, self.images, extra)
            except (RuntimeError, OSError) as error:
                self.miss(f"{name} on {_argument(given)}: {error}")
                continue
            said = contender.said
            self.record["contenders"][name] = {
                key: said[key] for key in ("difference", "versions", "python")
            }
            started.append(contender)
        if len({contender.said["digest"] for contender in started}) > 1:
            raise SystemExit("expected the same data for all, got other digests: see NumPy")
        return started

    def miss(self, what: str) -> None:
        """Say that something could not be measured; the run ends with a failure."""
        self.missing.append(what)
        print(f"MISSING {what}", flush=True)

    def write(self) -> None:
        """Write the record as far as it has come."""
        self.record["provenance"]["missing"] = self.missing
        self.record["provenance"]["minutes"] = round((time.time() - _STARTED) / 60, 1)
        text = json.dumps(self.record, indent=1, ensure_ascii=False)
        self.options.output.write_text(text + "\n", encoding="utf8")

    def steps(self, name: str, allocator: str = "default") -> None:
        """Step times of one workload."""
        options = self.options
        extra = MAPPED if allocator == "mapped" else None
        names = [n for n in options.contenders if not (extra and n in TORCH)]
        title(f"{name}, {allocator} allocator" if extra else name)
        contenders = self.start(names, name, extra)
        try:
            blocks, failed = rounds_of_blocks(
                contenders,
                options.rounds,
                options.block,
                options.workload_seconds,
                options.least,
                options.limit,
            )
            for failure in failed:
                self.miss(f"{name}, {failure}")
            summaries = summarise(blocks, options.least, options.limit)
            for contender in contenders:
                row = summaries[contender.name]
                ends = contender.ask("memory") | contender.ask("rate")
                check = contender.ask("check") if contender.name != LIMITS else {}
                said = contender.said
                row = {
                    "workload": name,
                    "contender": contender.name,
                    "allocator": allocator,
                    **row,
                    "loss": check.get("loss"),
                    "gradient_norm": check.get("gradient_norm"),
                    "rate_hz": check.get("rate_hz"),
                    "rate_end_hz": ends["rate_hz"] if check else None,
                    **{
                        f"{part}_seconds": said[f"{part}_seconds"]
                        for part in ("import", "build", "prepare")
                    },
                    "compile_seconds": max(0.0, said["first_seconds"] - said["warm_seconds"]),
                    "peak_mib": ends["peak_mib"],
                    "import_mib": said["import_mib"],
                }
                self.record["rows"].append(row)
                print(_line(row), flush=True)
                if row["ms"] is None:
                    self.miss(f"{name}, {contender.name}: {row['blocks']} quiet blocks")
                if contender.name == LIMITS and not extra:
                    self.record["limits"].append({"workload": name, **contender.ask("limits")})
            if contenders:
                said = contenders[0].said
                self.record["sizes"][name] = asdict(workloads.sizes(name)) | {
                    "density": said["density"],
                    "digest": said["digest"],
                }
        finally:
            for contender in contenders:
                contender.stop()
        self.write()

    def growth(self) -> None:
        """Step times around the base sizes, one size changed at a time."""
        options = self.options
        title("growth")
        names = [name for name in options.contenders if name != LIMITS]
        contenders = self.start(names, "base")
        base = asdict(workloads.BASE)
        points = {("base", 0): {"name": "base"}}
        for axis, values in options.axes.items():
            points |= {(axis, v): {"name": "base", axis: v} for v in values if v != base[axis]}
        measured: dict[tuple[str, float], dict[str, Any]] = {}
        try:
            for number, (point, given) in enumerate(points.items()):
                for contender in list(contenders) if number else []:
                    try:
                        contender.said |= contender.ask("build", given=given)
                    except (RuntimeError, OSError) as error:
                        self.miss(f"growth, {contender.name} at {point}: {error}")
                        contenders.remove(contender)
                        contender.stop()
                blocks, failed = rounds_of_blocks(
                    contenders, 3, options.block / 2, 0.0, 3, options.limit
                )
                for failure in failed:
                    self.miss(f"growth at {point}, {failure}")
                measured[point] = summarise(blocks, options.least_growth, options.limit)
                print(
                    *point, {n: _short(row["ms"]) for n, row in measured[point].items()}, flush=True
                )
        finally:
            for contender in contenders:
                contender.stop()
        for contender in contenders:
            for axis, values in options.axes.items():
                found = {
                    v: measured[("base", 0) if v == base[axis] else (axis, v)][contender.name]
                    for v in values
                }
                self.record["growth"] += [
                    {"contender": contender.name, "axis": axis, "value": v, **row}
                    for v, row in found.items()
                ]
                kept = {v: row["ms"] for v, row in found.items() if row["ms"] is not None}
                if len(kept) < len(values):
                    self.miss(f"growth in {axis}, {contender.name}: {len(kept)} quiet points")
                if len(kept) > 2:
                    slope, error = summary.log_log_slope(list(kept), list(kept.values()))
                    row = {"contender": contender.name, "axis": axis}
                    self.record["slopes"].append({**row, "slope": slope, "error": error})
                    print(f"{contender.name:14} {axis:11} {slope:5.2f} ± {error:.2f}")
        self.write()

    def accuracy(self) -> None:
        """Seconds of training until held-out images are classified as well as asked for."""
        title(f"time to {TARGET_ACCURACY:.0%} on F")
        names = [name for name in self.options.contenders if name != LIMITS]
        for seed in range(self.options.seeds):
            for name in names:
                given = {"name": "F", "n_batches": BATCHES_BETWEEN_EVALUATIONS, "seed": seed}
                for contender in self.start([name], {**given, "untrained": True}):
                    try:
                        row = train_to_target(contender, self.options.longest)
                        row["peak_mib"] = contender.ask("end")["peak_mib"]
                    finally:
                        contender.stop()
                    self.record["accuracy"].append({"contender": name, "seed": seed, **row})
                    print(f"{name:14} seed {seed}  {_accuracy_line(row)}", flush=True)
            self.write()


def train_to_target(contender: Contender, longest: float) -> dict[str, Any]:
    """Train in blocks with an evaluation after each, until the target or `longest` seconds."""
    size = BATCHES_BETWEEN_EVALUATIONS
    blocks: list[dict[str, Any]] = []
    accuracy, start = 0.0, 0
    while accuracy < TARGET_ACCURACY and sum(b["seconds"] for b in blocks) < longest:
        if start:
            contender.ask("load", start=start)
        blocks.append(contender.measured_block(size))
        accuracy = contender.ask("evaluate")["accuracy"]
        start += size
    times = [block["seconds"] for block in blocks]
    # The first block compiles: as a training time it counts like the others.
    usual = summary.quartiles(times[1:] or times)[1]
    return {
        "reached": accuracy >= TARGET_ACCURACY,
        "accuracy": accuracy,
        "steps": len(blocks) * size,
        "seconds": usual + sum(times[1:]),
        "compile_seconds": max(0.0, times[0] - usual),
        "marked_blocks": sum(not summary.is_quiet(b["foreign"]) for b in blocks),
        "rate_end_hz": contender.ask("rate")["rate_hz"],
    }


def provenance() -> dict[str, Any]:
    """Where and when the record is made."""
    used = [*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "src").rglob("*.py")]
    return {
        "when": datetime.now(UTC).date().isoformat(),
        "device": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "psutil": importlib.metadata.version("psutil"),
        "load_before": [round(load, 2) for load in psutil.getloadavg()],
        "flags": FLAGS,
        "mapped_allocator": MAPPED,
        "foreign_limit": summary.FOREIGN_LIMIT,
        "code": {path.relative_to(ROOT).as_posix(): digest_of_code(path) for path in sorted(used)},
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def title(text: str) -> None:
    """Head a part of the output."""
    print(f"\n== {text}", flush=True)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['contender']:14} {_short(row['ms']):>6} ms [{_short(row['ms_low'])}, "
        f"{_short(row['ms_high'])}]  x{_short(row['ratio'])} [{_short(row['ratio_low'])}, "
        f"{_short(row['ratio_high'])}]  {row['blocks']} blocks, {row['left_out']} left out  "
        f"compile {row['compile_seconds']:.1f} s  peak {row['peak_mib']:.0f} MiB  "
        f"loss {row['loss'] or 0:.6f}  |g| {row['gradient_norm'] or 0:.5f}  "
        f"{_short(row['rate_hz'])} to {_short(row['rate_end_hz'])} Hz"
    )


def _accuracy_line(row: dict[str, Any]) -> str:
    reached = "reached" if row["reached"] else "NOT reached"
    return (
        f"{row['accuracy']:.1%} {reached} after {row['steps']} steps, {row['seconds']:.1f} s "
        f"and {row['compile_seconds']:.1f} s to compile, {row['marked_blocks']} blocks marked"
    )


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", nargs="*", default=["W1", "W2", "W3", "W4", "F"])
    parser.add_argument("--contenders", nargs="*", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--rounds", type=int, default=15)
    choice = argparse.BooleanOptionalAction
    parser.add_argument("--growth", action=choice, default=True)
    parser.add_argument("--accuracy", action=choice, default=True)
    parser.add_argument("--allocator", action=choice, default=True)
    parser.add_argument("--quick", action="store_true", help="a smoke run, its times mean nothing")
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/gallery/data/benchmark.json")
    options = parser.parse_args(given)
    options.block, options.least, options.least_growth = 0.3, 5, 2
    options.workload_seconds, options.limit = 90.0, summary.FOREIGN_LIMIT
    options.seeds, options.longest, options.axes = 3, LONGEST_RUN, workloads.AXES
    if options.quick:
        options.rounds, options.block, options.limit = 2, 0.05, float("inf")
        options.least = options.least_growth = 1
        options.seeds, options.longest = 1, 1e-9
        options.axes = {axis: values[:3] for axis, values in workloads.AXES.items()}
    return options


def main() -> None:
    """Run the stages that were asked for."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder)
        if options.accuracy or "F" in options.workloads:
            import trainable_spikes as ts

            train, _ = ts.fashion_mnist()
            workloads.save_images(images, train.inputs, train.targets)
        run = Run(options, images)
        for name in options.workloads:
            run.steps(name)
        if options.allocator and "W2" in options.workloads:
            run.steps("W2", allocator="mapped")
        if options.growth:
            run.growth()
        if options.accuracy:
            run.accuracy()
        run.write()
    if run.missing and not options.quick:
        raise SystemExit("not all could be measured:\n" + "\n".join(run.missing))


_STARTED = time.time()

if __name__ == "__main__":
    main()
