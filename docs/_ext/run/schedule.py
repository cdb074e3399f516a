"""Execute the pages whose results are not in the store, and report on all of them."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import Timeout

from run.kernel import Machine, kernel_environment, n_cores, prepare, run_page
from run.key import Keys
from run.page import Page, list_pages
from run.programs import programs_folder
from run.provenance import provenance
from run.store import Execution, PageStore

Say = Callable[[str], None]
# The same pages on the same idle machine took up to 1.25 times as many core-seconds one hour as
# the next: a shared processor is not always as fast. A page must not fail for that.
ALLOWANCE = 1.5


@dataclass
class PageResult:
    """One page of a build: its key, its stored run if it has one, and what is wrong."""

    page: Page
    key: str
    run: Execution | None = None
    cached: bool = True
    problems: list[str] = field(default_factory=list)


def run_pages(
    root: Path, say: Say = print, *, only: Collection[str] | None = None
) -> list[PageResult]:
    """Bring the results of all pages, or of those named, up to date.

    Failures are in the results, not raised.
    """
    store = PageStore.of(root)
    keys = Keys(root)
    results = [
        PageResult(page, keys.key(page))
        for page in list_pages(root)
        if only is None or page.docname in only
    ]
    _look_up(results, store)
    if any(result.run is None for result in results):
        with _turn(store, say):
            _look_up(results, store)
            asyncio.run(_execute(root, results, store, say))
    else:
        for count, result in enumerate(results, 1):
            _progress(say, count, len(results), result)
    for result in results:
        result.problems += budget_problems(result.page, result.run)
    return results


def problems(results: list[PageResult]) -> str:
    """Return one report that names every failing page and cell, or an empty string."""
    return "\n\n".join(problem for result in results for problem in result.problems)


@contextmanager
def _turn(store: PageStore, say: Say) -> Iterator[None]:
    # Two builds at once: the second waits here, then finds what the first has run.
    lock = store.lock()
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another build is executing pages; waiting for its results")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _look_up(results: list[PageResult], store: PageStore) -> None:
    for result in results:
        result.run = result.run or store.load(result.page.docname, result.key)


async def _execute(root: Path, results: list[PageResult], store: PageStore, say: Say) -> None:
    found = [result for result in results if result.run]
    stale = [result for result in results if not result.run]
    for count, result in enumerate(found, 1):
        _progress(say, count, len(results), result)
    if not stale:
        return
    variables = kernel_environment(root, store.folder)
    await asyncio.to_thread(prepare, variables)
    # Longest first: a long page that starts last leaves the other cores idle at the end.
    stale.sort(key=lambda result: _expected_seconds(result.page, store), reverse=True)
    done = len(found)

    async def one(result: PageResult, socket: Path, machine: Machine) -> None:
        nonlocal done
        await _run_and_store(root, result, store, variables, socket, machine)
        done += 1
        _progress(say, done, len(results), result)

    finished = asyncio.Event()
    peak = asyncio.create_task(_peak_memory(finished))
    with tempfile.TemporaryDirectory(prefix="pages-", dir=short_folder()) as sockets:
        machine = Machine()
        await asyncio.gather(*(one(r, Path(sockets, str(i)), machine) for i, r in enumerate(stale)))
    finished.set()
    say(f"peak memory of all processes while pages ran: {await peak / 2**30:.2f} GiB")


async def _run_and_store(
    root: Path,
    result: PageResult,
    store: PageStore,
    variables: dict[str, str],
    socket: Path,
    machine: Machine,
) -> None:
    page = result.page
    folder, programs = (root / page.path).parent, programs_folder(store.folder, n_cores(page))
    run = await run_page(page, folder, variables, socket, programs, machine)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    execution = Execution(
        notebook=run.notebook,
        seconds=run.seconds,
        cpu_seconds=run.cpu_seconds,
        finished_at=finished,
        peak_memory=run.peak_memory,
        compiled=run.compiled,
        compile_seconds=run.compile_seconds,
        provenance=provenance(root),
    )
    result.cached, result.run, result.problems = False, execution, run.problems
    if Keys(root).key(page) != result.key:
        # What ran is not what the key says: storing it would poison every later build.
        run.problems.append(f"{page.path}: src or page data changed during the run; build again")
    # Only what passes is kept: a failure, or an overrun on a busy machine, runs again.
    if not (run.problems or budget_problems(page, execution)):
        store.save(page.docname, result.key, execution)


def short_folder() -> str:
    """Return a temporary folder with a short name: systems limit the path of a socket."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= 60 or os.name != "posix" else "/var/tmp"


def _expected_seconds(page: Page, store: PageStore) -> float:
    last = store.last(page.docname)
    return last.seconds if last else page.budget


def budget_problems(page: Page, run: Execution | None) -> list[str]:
    """Say by how much a run was too costly, if it was."""
    # Core-seconds, not wall time, which grows with all that the machine does beside it.
    if run is None or run.cpu_seconds <= ALLOWANCE * page.budget:
        return []
    return [
        f"{page.path}: took {run.cpu_seconds:.1f} core-seconds, more than {ALLOWANCE:g} times its "
        f"declared budget of {page.budget:g}. Make the page cheaper, or raise `budget` in its "
        "front matter."
    ]


def _progress(say: Say, count: int, total: int, result: PageResult) -> None:
    seconds = result.run.seconds if result.run else 0.0
    how = "cached" if result.cached else "FAILED" if result.problems else "run"
    say(f" [{count}/{total}] {result.page.docname:<40} {seconds:6.1f} s  {how}")


async def _peak_memory(finished: asyncio.Event) -> int:
    peak = 0
    while not finished.is_set():
        peak = max(peak, await asyncio.to_thread(_tree_memory))
        with suppress(TimeoutError):
            await asyncio.wait_for(finished.wait(), 0.5)
    return peak


def _tree_memory() -> int:
    me = psutil.Process()
    total = 0
    for process in [me, *me.children(recursive=True)]:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


if __name__ == "__main__":
    started = time.perf_counter()
    named = set(sys.argv[1:]) or None
    report = problems(run_pages(Path(__file__).parents[3], only=named))
    print(f"{time.perf_counter() - started:.1f} s")
    raise SystemExit(report or 0)
