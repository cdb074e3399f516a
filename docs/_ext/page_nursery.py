"""Pages whose process begins where the imports end: forked from one that has imported once.

Importing the libraries takes longer than many a page, and is the same work for each. So a build
starts this file as a process, which imports them and then waits for orders, a line of JSON each.
For an order it forks, and the child becomes the page's kernel, with the page's variables, in its
folder and in a session of its own, as a new interpreter would.

A process with threads cannot be forked safely, so this one gives up where an import starts some.
It also does where an import says something: in an interpreter of its own a page would show that.
Then, and where no process can be had from it, pages start by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import psutil
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from compiled_programs import use_lent

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

# Not brainpy.state: with the libraries for Python 3.11, it starts JAX's threads.
SHARED = ("ipykernel.kernelapp", "jax", "braintools")
CAN_FORK = sys.platform == "linux"  # libraries of macOS do not bear it
IMPORTS_TAKE_AT_MOST = 180.0  # seconds, on a machine that is very busy


@dataclass
class Nursery:
    """The build's end: it starts the process that imports, and orders kernels from it."""

    environment: Mapping[str, str]
    modules: Sequence[str] = SHARED
    process: subprocess.Popen[str] = field(init=False)
    ready: asyncio.Task[bool] = field(init=False)

    def __post_init__(self) -> None:
        """Start the process; it is ready later."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__, *self.modules],
            env=dict(self.environment),
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the build, which ends it
        )
        self.ready = asyncio.create_task(self._is_ready())

    async def fork(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, core: int
    ) -> Forked | None:
        """Return a new process that runs the kernel of a command line, or None if there is none."""
        order = [command, dict(environment), str(folder), core]
        assert self.process.stdin, "it was started with a pipe"
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        answer = await self._answer()
        return Forked(int(answer)) if answer else None

    def close(self) -> None:
        """End the process, and with it the kernels that still run."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe, "it was started with pipes"
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    async def _is_ready(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IMPORTS_TAKE_AT_MOST):
                return bool(await self._answer())
        return False

    async def _answer(self) -> str:
        """Wait for a line, empty where the process has ended or failed to do its part."""
        assert self.process.stdout, "it was started with a pipe"
        return (await asyncio.to_thread(self.process.stdout.readline)).strip()


class Forked(psutil.Process):
    """A kernel's process as its manager handles one, though it is no child of this process."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """Return None for as long as it runs."""
        return None if self.is_running() else 0

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            super().send_signal(sig)


class ForkingProvisioner(LocalProvisioner):
    """Get a kernel's process from a nursery, or where that has none, start an interpreter."""

    def __init__(self, nursery: Nursery, core: int, **kwargs: Any) -> None:
        """Take processes from `nursery` and keep them to a core; the rest is as usual."""
        super().__init__(**kwargs)
        self.nursery, self.core = nursery, core

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel of a command line, in `cwd` and with the variables `env`."""
        forked = await self.nursery.fork(cmd, kwargs["env"], kwargs["cwd"], self.core)
        if not forked:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = forked  # type: ignore[assignment]  # it does what is asked of it
        self.pid = self.pgid = forked.pid
        return self.connection_info


def _serve(modules: Sequence[str], orders: TextIO, answers: TextIO) -> None:
    """Import, say so, and fork at every order until there are no more."""
    if not _import_quietly(modules):
        return
    gc.freeze()  # what is imported stays: no page searches it for garbage
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended is gone, not a zombie
    print("ready", file=answers, flush=True)
    nursery = os.getpid()
    for line in orders:
        try:
            child = os.fork()
        except OSError:  # too many processes, or too little memory
            print(file=answers, flush=True)
            continue
        if not child:
            orders.close()
            answers.close()
            _become_kernel(nursery, *json.loads(line))
        print(child, file=answers, flush=True)


def _import_quietly(modules: Sequence[str]) -> bool:
    """Import modules, and return whether they came without a word and without a thread."""
    with contextlib.suppress(OSError):  # in a sandbox
        # On one core, a library for linear algebra starts none.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    with tempfile.TemporaryFile() as said, _output_to(said.fileno()):
        try:
            for module in modules:
                __import__(module)  # from here, as from a cell: what warns of that is heard
        except Exception:
            return False  # a page that needs it says what is wrong
        sys.stdout.flush()
        sys.stderr.flush()
        quiet = os.fstat(said.fileno()).st_size == 0
    return quiet and psutil.Process().num_threads() == 1


@contextlib.contextmanager
def _output_to(file: int) -> Iterator[None]:
    """Send what the process prints, and what its libraries in C do, to a file."""
    kept = os.dup(2)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        os.dup2(kept, 1)  # what a page prints beside its cells is no answer to the build
        os.dup2(kept, 2)
        os.close(kept)


def _become_kernel(
    nursery: int, command: list[str], environment: dict[str, str], folder: str, core: int
) -> None:
    """Do in a child what a new interpreter would with this command line; never return."""
    try:
        os.setsid()
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {core})  # before there are threads: they inherit it
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(environment)  # what imports have set stays
        os.chdir(folder)
        use_lent(environment)
        _draw_seeds()
        _python, _m, module, *arguments = command
        # A kernel ends when the process that it calls its parent does.
        sys.argv = [module, *arguments, f"--IPKernelApp.parent_handle={nursery}"]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _draw_seeds() -> None:
    """Draw anew what the imports have drawn: pages that set no seed must not draw the same."""
    import brainstate
    import numpy as np

    np.random.seed()
    brainstate.random.DEFAULT.seed()


if __name__ == "__main__":
    del sys.path[0]  # this file's folder, which is on the path a second time, as for pages
    _orders, _answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    with open(os.devnull) as _nothing:
        os.dup2(_nothing.fileno(), 0)
    with contextlib.suppress(BrokenPipeError):  # the build is gone
        _serve(sys.argv[1:], _orders, _answers)
