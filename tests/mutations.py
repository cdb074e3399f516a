"""Does anything notice when the training code is wrong? `nox -s mutations` asks.

Each mutation changes one line of the package in a copy of the checkout. There the pages
run, up to the first that fails, and, where none does, the unit tests. The pages alone must
catch eight mutations, and nothing may survive both.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from claims.gather import Claims
from claims.table import read_tables
from run.kernel import Machine, kernel_environment, prepare, run_page
from run.page import Page, list_pages
from run.store import measured_in

ROOT = Path(__file__).parents[1]
BY_PAGES_AT_LEAST = 8


@dataclass(frozen=True)
class Mutation:
    """One wrong line: `old`, found once in the file, becomes `new`."""

    name: str
    file: str
    old: str
    new: str


MUTATIONS = [
    Mutation(
        "sign: the optimizer climbs the loss",
        "training.py",
        "self.optimizer.step(grads)",
        "self.optimizer.step(jax.tree.map(lambda gradient: -gradient, grads))",
    ),
    Mutation(
        "time constant: the membrane has the synapse's",
        "models.py",
        "tau=tau_membrane,",
        "tau=tau_synapse,",
    ),
    Mutation(
        "time constant: the readout filters twice as long",
        "readouts.py",
        "n_out, tau=tau, g_initializer=",
        "n_out, tau=2 * tau, g_initializer=",
    ),
    Mutation(
        "reset: always hard",
        "models.py",
        "spk_reset=reset,",
        'spk_reset="hard",',
    ),
    Mutation(
        "threshold: a tenth too high",
        "models.py",
        "V_th=threshold,",
        "V_th=1.1 * threshold,",
    ),
    Mutation(
        "surrogate: the one asked for is ignored",
        "models.py",
        "spk_fun=surrogate or braintools.surrogate.ReluGrad(),",
        "spk_fun=braintools.surrogate.ReluGrad(),",
    ),
    Mutation(
        "leak: the membrane readout has none",
        "readouts.py",
        "(drive - potential) / self.tau",
        "drive / self.tau + 0 * potential / self.tau",
    ),
    Mutation(
        "reset: asked to be detached, it is not",
        "models.py",
        "(DetachedLIF if detach_reset else brainpy.state.LIF)(",
        "brainpy.state.LIF(",
    ),
    Mutation(
        "weights: the membrane fluctuates half as far",
        "initializing.py",
        "/ distance",
        "/ distance / 2",
    ),
    Mutation(
        "window: gradients are cut one step late",
        "rollout.py",
        "% window == 0",
        "% (window + 1) == 0",
    ),
    Mutation(
        "axis: samples and time are reshaped, not swapped",
        "encoding.py",
        "return jnp.swapaxes(inputs, 0, 1)",
        "return inputs.reshape(inputs.shape[1], inputs.shape[0], *inputs.shape[2:])",
    ),
    Mutation(
        "direction: strong intensities spike late",
        "encoding.py",
        "jnp.round((1 - intensity) * latest_step)",
        "jnp.round(intensity * latest_step)",
    ),
    Mutation(
        "off by one: the last step is the one before",
        "readouts.py",
        "return outputs[-1]",
        "return outputs[-2]",
    ),
    Mutation(
        "order: steps of remat's chunks are interleaved",
        "rollout.py",
        "y.reshape(whole, *y.shape[2:])",
        "y.swapaxes(0, 1).reshape(whole, *y.shape[2:])",
    ),
    Mutation(
        "state: a batch starts where the last one ended",
        "training.py",
        "brainstate.nn.reset_all_states(self.network, batch_size=inputs.shape[0])",
        "pass",
    ),
    Mutation(
        "labels: shuffled samples meet unshuffled labels",
        "training.py",
        "step(inputs[batch], targets[batch], weight, key)",
        "step(inputs[batch], targets[jnp.sort(batch)], weight, key)",
    ),
    Mutation(
        "padding: samples that fill the last batch count",
        "training.py",
        "weight[-1, batch_size - padding :] = 0",
        "weight[-1, batch_size - padding :] = 1",
    ),
    Mutation(
        "mean: the loss sums over the batch",
        "training.py",
        "return jnp.mean(losses), scores",
        "return jnp.sum(losses), scores",
    ),
    Mutation(
        "restart: the optimizer keeps its moments",
        "training.py",
        "self.optimizer.load_state_dict(self._fresh_optimizer)",
        "pass",
    ),
]


def mutated(mutation: Mutation, root: Path) -> tuple[Path, str]:
    """Return the file under `root` and its text with the mutation."""
    path = root / "src" / "trainable_spikes" / mutation.file
    text = path.read_text(encoding="utf8")
    if text.count(mutation.old) != 1:
        raise SystemExit(
            f"mutation {mutation.name!r}: expected {mutation.old!r} once in {mutation.file}, "
            f"found it {text.count(mutation.old)} times: bring the mutation up to date"
        )
    return path, text.replace(mutation.old, mutation.new)


@contextmanager
def copy_of_checkout() -> Iterator[Path]:
    """Copy what git tracks or would track into a folder that is gone afterwards."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        for name in filter(None, names.split("\0")):
            target = Path(folder, name)
            if (ROOT / name).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
        yield Path(folder)


class PageFailedError(Exception):
    """The report on the first page that failed."""


def first_failing_page(root: Path) -> str:
    """Run the pages, cheapest first, until one fails; return its report or nothing."""
    reports: list[str] = []
    try:
        asyncio.run(_run_pages(root))
    except* PageFailedError as failed:
        reports += map(str, failed.exceptions)
    return "".join(reports[:1])


async def _run_pages(root: Path) -> None:
    environment = kernel_environment(root, root / ".page-cache")
    prepare(environment)
    machine = Machine()

    async def run(page: Page, socket: Path) -> None:
        folder = (root / page.path).parent
        result = await run_page(page, folder, environment, socket, machine=machine)
        claims = Claims(root, *read_tables(root))
        claims.take(page.docname, page.path, measured_in(result.notebook))
        claims.hold()
        if problems := result.problems or claims.missed():
            raise PageFailedError(problems[0])

    pages = sorted(list_pages(root), key=lambda page: page.budget)
    with tempfile.TemporaryDirectory(prefix="pages-") as sockets:
        async with asyncio.TaskGroup() as group:  # cancels the others when one fails
            for number, page in enumerate(pages):
                group.create_task(run(page, Path(sockets, str(number))))


def first_failing_unit_test(root: Path) -> str:
    """Run the unit tests until one fails; return its name and error or nothing."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/unit", "-x", "-q", "--tb=line"],
        cwd=root,
        env=os.environ
        | {"PYTHONPATH": str(root / "src"), "JAX_PLATFORMS": "cpu", "COLUMNS": "240"},
        capture_output=True,
        text=True,
    )
    if run.returncode == 0:
        return ""
    lines = (run.stdout + run.stderr).splitlines()
    failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return (failures or lines[-1:] or ["pytest ended without a word"])[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", help="mutations whose name contains NAME")
    parser.add_argument("--unit-only", action="store_true")
    parser.add_argument("--pages-only", action="store_true")
    options = parser.parse_args()
    checks = {"pages": first_failing_page, "unit": first_failing_unit_test}
    if options.unit_only:
        del checks["pages"]
    if options.pages_only:
        del checks["unit"]
    for mutation in MUTATIONS:
        mutated(mutation, ROOT)  # all of them still apply
    chosen = [m for m in MUTATIONS if (options.only or "") in m.name]
    if not chosen:
        raise SystemExit(f"no mutation has {options.only!r} in its name")

    # A check that fails anyway would seem to catch everything.
    with copy_of_checkout() as root:
        for kind, check in checks.items():
            if failure := check(root):
                raise SystemExit(f"{kind} fail without a mutation:\n{failure}")
    print(f"nothing fails without a mutation ({', '.join(checks)})", flush=True)

    caught: dict[str, list[str]] = {mutation.name: [] for mutation in chosen}
    for mutation in chosen:
        with copy_of_checkout() as root:
            path, text = mutated(mutation, root)
            path.write_text(text, encoding="utf8")
            print(f"\n{mutation.name}", flush=True)
            for kind, check in checks.items():
                started = time.perf_counter()
                failure = check(root)
                seconds = time.perf_counter() - started
                line = failure.splitlines()[0] if failure else "NOT CAUGHT"
                print(f"  {kind:<5} {seconds:4.0f} s  {line}", flush=True)
                if failure:
                    caught[mutation.name].append(kind)
                    break

    print(f"\n{'mutation':<52} caught by")
    for name, by in caught.items():
        print(f"{name:<52} {', '.join(by) or 'NOTHING'}")
    total = sum(map(bool, caught.values()))
    by_pages = sum("pages" in by for by in caught.values())
    print(f"\n{total} of {len(chosen)} mutations caught, {by_pages} by the pages alone")
    enough = min(BY_PAGES_AT_LEAST, len(chosen)) if "pages" in checks and not options.only else 0
    return int(total < len(chosen) or by_pages < enough)


if __name__ == "__main__":
    raise SystemExit(main())
