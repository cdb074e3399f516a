"""Run one page in a process of its own; the bytes of this file are part of every page's key."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from run.page import ALONE, EXPECTED_ERROR, Cell, Page
from run.programs import lend, take_back
from run.shell.compile_times import FILE_VARIABLE, seconds_in

SHELL = Path(__file__).parent / "shell"  # modules for the page's process alone
KERNEL_ARGUMENTS = [
    # Twice the pixels, shown at the same size: sharp on phones. Beside that, SVG.
    "--InlineBackend.figure_formats=retina",
    # All pages would write to one file; one that stands still with its lock makes others complain.
    "--HistoryManager.enabled=False",
    "--InteractiveShellApp.extensions=vector_figures",
    "--InteractiveShellApp.extensions=compile_times",
]
CAN_KEEP_TO_A_CORE = hasattr(psutil.Process, "cpu_affinity")  # not on macOS
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Run:
    """What came of running a page: outputs and cost, or why it counts as failed."""

    notebook: NotebookNode
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    compiled: int = 0
    compile_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def kernel_environment(root: Path, settings: Path, *path: Path) -> dict[str, str]:
    """Return the variables that a page runs under: the user's own must not change a page.

    `path` names more folders to import from.
    """
    foreign = ("JAX_", "XLA_", "MPL", "MATPLOTLIB", "IPYTHON", "PYTHON", "PYTEST_", "TRAINABLE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "JAX_PLATFORMS": "cpu",
        # First on the path, so that the source that is hashed is the source that runs.
        "PYTHONPATH": os.pathsep.join(map(str, (root / "src", SHELL, *path))),
        "PYTHONHASHSEED": "0",
        # tqdm's advice to install widgets; it is about notebooks that readers run, not a page.
        "PYTHONWARNINGS": "ignore:IProgress not found",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(settings / "matplotlib"),
        "IPYTHONDIR": str(settings / "ipython"),
    }


def prepare(environment: dict[str, str]) -> None:
    """Build matplotlib's font cache now; a page that did would say so on stderr."""
    fonts = Path(environment["MPLCONFIGDIR"])
    if not list(fonts.glob("fontlist-*.json")):
        fonts.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=environment, capture_output=True, check=True)


def cores() -> list[int]:
    """Return the processor's cores that this process may use, by their numbers."""
    if CAN_KEEP_TO_A_CORE:
        return list(psutil.Process().cpu_affinity())
    return list(range(os.cpu_count() or 1))


def n_cores(page: Page) -> int:
    """Return on how many cores a page runs: one of its own, unless it has the machine alone.

    With several, XLA hands the many small operations of a small network from thread to thread,
    which costs more than it gains, and the other cores have pages of their own to run.
    """
    return 1 if CAN_KEEP_TO_A_CORE and not page.alone else len(cores())


def _all_cores() -> asyncio.Queue[int]:
    found, queue = cores(), asyncio.Queue[int]()
    # So that two builds at once do not always begin with the same one.
    first = os.getpid() % len(found)
    for core in found[first:] + found[:first]:
        queue.put_nowait(core)
    return queue


@dataclass
class Machine:
    """The cores, each for a page at a time; `alone` gives one of the pages all of them."""

    free: asyncio.Queue[int] = field(default_factory=_all_cores)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    running: set[int] = field(default_factory=set)
    stood_still: dict[int, float] = field(default_factory=dict)  # seconds, by process

    @asynccontextmanager
    async def core(self) -> AsyncIterator[int]:
        """Wait for a core that no other page has, and keep it for as long as this lasts."""
        core = await self.free.get()
        try:
            yield core
        finally:
            self.free.put_nowait(core)

    @asynccontextmanager
    async def alone(self, process: int) -> AsyncIterator[None]:
        """Let the other pages stand still, and start none, for as long as this lasts."""
        async with self.turn:
            others = self.running - {process}
            # It wakes them when its input ends: also where this process is killed meanwhile.
            waker = subprocess.Popen(
                ["sh", "-c", 'cat; kill -CONT "$@" 2>/dev/null', "sh", *map(str, others)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            start = time.perf_counter()
            try:
                for other in others:
                    with suppress(ProcessLookupError):
                        os.kill(other, signal.SIGSTOP)
                yield
            finally:
                waker.communicate()
                for other in others:
                    before = self.stood_still.get(other, 0.0)
                    self.stood_still[other] = before + time.perf_counter() - start


async def run_page(
    page: Page,
    folder: Path,
    environment: dict[str, str],
    socket: Path,
    programs: Path | None = None,
    machine: Machine | None = None,
) -> Run:
    """Run the cells of `page` in order in a new process, up to the first failing one.

    With a folder of `programs`, the page uses those that earlier runs have compiled, and adds
    its own. Pages that share a `machine` wait for one of its cores, and for cells that want it
    alone.
    """
    machine = machine or Machine()
    async with machine.core() as core:
        return await _run_page(page, folder, environment, socket, programs, machine, core)


async def _run_page(
    page: Page,
    folder: Path,
    environment: dict[str, str],
    socket: Path,
    programs: Path | None,
    machine: Machine,
    core: int,
) -> Run:
    cells = [new_code_cell(cell.source, metadata={"tags": [*cell.tags]}) for cell in page.cells]
    run = Run(new_notebook(cells=cells))
    # No kernel folders: the kernel is this interpreter, whatever the user has installed.
    # Sockets in a folder of our own instead of ports: two builds cannot grab the same one.
    manager = AsyncKernelManager(
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        transport="ipc",
        ip=str(socket),
        connection_file=f"{socket}.json",
    )
    client = NotebookClient(
        run.notebook,
        km=manager,
        timeout=60 + 10 * round(page.budget),  # stops a page that hangs
        startup_timeout=180,
        iopub_timeout=180,  # a page may stand still between an answer and what it shows
        raise_on_iopub_timeout=True,
        coalesce_streams=True,
    )
    client.reset_execution_trackers()
    times = Path(f"{socket}.compile-times")
    environment = environment | {FILE_VARIABLE: str(times)}
    own = Path(f"{socket}.programs")
    if programs and not page.compiles:
        environment |= lend(programs, own)
    process = None
    try:
        arguments = {"extra_arguments": KERNEL_ARGUMENTS, "env": environment, "cwd": folder}
        async with machine.turn:
            start = time.perf_counter()
            await manager.start_kernel(**arguments)
            process = psutil.Process(manager.provisioner.pid)  # type: ignore[union-attr]
            machine.running.add(process.pid)
            if not page.alone:
                _keep_to(core, process)
        await client.async_start_new_kernel_client()
        await _run_cells(page, client, run, lambda: machine.alone(process.pid))
        run.seconds = time.perf_counter() - start - machine.stood_still.get(process.pid, 0.0)
        run.cpu_seconds, run.peak_memory = _cpu_seconds(process), _peak_memory(process)
        run.compile_seconds = seconds_in(times)
    except Exception as error:
        run.problems.append(f"{page.path}: the page's process failed: {error!r}")
    finally:
        if process:
            machine.running.discard(process.pid)
        if client.kc:
            client.kc.stop_channels()
        await manager.shutdown_kernel(now=True)
    if programs and own.exists():
        run.compiled = 0 if run.problems else take_back(own, programs)
        shutil.rmtree(own)
    return run


def _keep_to(core: int, process: psutil.Process) -> None:
    """Keep a process that has not made threads to a core; they inherit it."""
    if CAN_KEEP_TO_A_CORE:
        with suppress(psutil.AccessDenied):  # in a sandbox: there it runs where it would
            process.cpu_affinity([core])


async def _run_cells(
    page: Page,
    client: NotebookClient,
    run: Run,
    alone: Callable[[], AbstractAsyncContextManager[None]],
) -> None:
    for index, (source, cell) in enumerate(zip(page.cells, run.notebook.cells, strict=True)):
        where = f"{page.path}:{source.line} (cell {index + 1})"
        try:
            async with alone() if ALONE in source.tags else nullcontext():
                await client.async_execute_cell(cell, index)
        except CellExecutionError as error:
            what = f"raised {error.ename}: {error.evalue}"
            run.problems.append(_report(where, what, source, error.traceback))
            return
        except CellTimeoutError:
            what = f"did not end within {client.timeout} s; the page was stopped"
            run.problems.append(_report(where, what, source))
            return
        except DeadKernelError:
            what = "ended the page's process (out of memory, or a crash in compiled code)"
            run.problems.append(_report(where, what, source))
            return
        run.problems += _output_problems(where, source, cell)
        for output in cell.outputs:
            if output.output_type == "error":
                # An error that the page shows: its message, without this machine's paths.
                output.traceback = [f"{output.ename}: {output.evalue}"]


def _output_problems(where: str, source: Cell, cell: NotebookNode) -> list[str]:
    problems = []
    stderr = "".join(out.text for out in cell.outputs if out.get("name") == "stderr")
    if stderr:
        what = "wrote to stderr; a page must run without warnings"
        problems.append(_report(where, what, source, stderr))
    raised = any(out.output_type == "error" for out in cell.outputs)
    if EXPECTED_ERROR in source.tags and not raised:
        what = f"is tagged {EXPECTED_ERROR} but raised nothing; mend the cell or drop the tag"
        problems.append(_report(where, what, source))
    return problems


def _report(where: str, what: str, source: Cell, detail: str = "") -> str:
    head = source.source.strip().splitlines()[:3]
    tail = _ANSI.sub("", detail).strip().splitlines()[-12:]
    return "\n".join(
        [f"{where} {what}", *(f"  >>> {line}" for line in head), *(f"    {line}" for line in tail)]
    )


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_memory(process: psutil.Process) -> int:
    """Return the most bytes that the process held; where no system file says, those of now."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists() and (peak := re.search(r"VmHWM:\s*(\d+) kB", status.read_text())):
        return 1024 * int(peak[1])
    return int(process.memory_info().rss)
