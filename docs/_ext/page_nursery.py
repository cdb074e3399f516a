"""Pages whose process begins where the imports end: forked from one that has imported once.

Importing the libraries takes longer than many a page, and is the same work for each. So a build
starts this file as a process, which imports them and then waits for orders, a line of JSON each.
For an order it forks, and the child becomes the page's kernel, with the page's variables, in its
folder and in a session of its own, as a new interpreter would.

A process with threads cannot be forked safely, so this one gives up where an import starts some.
It also does where an import says something: in an interpreter of its own a page would show that.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
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


@dataclass
class Nursery:
    """The build's end: it starts the process that imports, and orders kernels from it."""

    environment: Mapping[str, str]
    modules: Sequence[str] = SHARED
    process: subprocess.Popen[str] = field(init=False)
    ready: asyncio.Task[bool] = field(init=False)  # False: every page starts by itself

    def __post_init__(self) -> None:
        """Start the process; it is ready later."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__, *self.modules],
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the build, which ends it
        )
        self.ready = asyncio.create_task(asyncio.to_thread(lambda: bool(self._answer())))

    def fork(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Forked:
        """Return a new process that runs the kernel of a command line."""
        order = {"command": command, "environment": dict(environment), "folder": str(folder)}
        assert self.process.stdin, "it was started with a pipe"
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Forked(int(self._answer()))

    def close(self) -> None:
        """End the process, and with it the kernels that still run."""
        self.process.kill()
        self.process.communicate()

    def _answer(self) -> str:
        assert self.process.stdout, "it was started with a pipe"
        return self.process.stdout.readline()


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
    """Get a kernel's process from a nursery instead of starting an interpreter."""

    def __init__(self, nursery: Nursery, **kwargs: Any) -> None:
        """Take the processes from `nursery`; the rest is as for any provisioner."""
        super().__init__(**kwargs)
        self.nursery = nursery

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel of a command line, in `cwd` and with the variables `env`."""
        forked = self.nursery.fork(cmd, kwargs["env"], kwargs["cwd"])
        self.process = forked  # type: ignore[assignment]  # it does what is asked of it
        self.pid = self.pgid = forked.pid
        return self.connection_info


def _serve(modules: Sequence[str], orders: TextIO, answers: TextIO) -> None:
    """Import, say so, and fork at every order until there are no more."""
    if not _import_quietly(modules):
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended is gone, not a zombie
    print("ready", file=answers, flush=True)
    for line in orders:
        child = os.fork()
        if not child:
            orders.close()
            answers.close()
            _become_kernel(**json.loads(line))
        print(child, file=answers, flush=True)


def _import_quietly(modules: Sequence[str]) -> bool:
    """Import modules, and return whether they came without a word and without a thread."""
    with contextlib.suppress(psutil.AccessDenied):  # in a sandbox
        # On one core, a library for linear algebra starts none.
        psutil.Process().cpu_affinity(psutil.Process().cpu_affinity()[:1])
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            for module in modules:
                importlib.import_module(module)
        except ImportError:
            return False  # the page that needs it says what is missing
    return not said.getvalue() and psutil.Process().num_threads() == 1


def _become_kernel(command: list[str], environment: dict[str, str], folder: str) -> None:
    """Do in a child what a new interpreter would with this command line; never return."""
    nursery = os.getppid()
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(environment)  # what imports have set stays
        os.chdir(folder)
        use_lent(environment)
        _python, _m, module, *arguments = command
        # A kernel ends when the process that it calls its parent does.
        sys.argv = [module, *arguments, f"--IPKernelApp.parent_handle={nursery}"]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    del sys.path[0]  # the folder that the build was started in, which pages do not see
    _channel = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    # A page has no input, and what it prints beside its cells is no answer.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    _serve(sys.argv[1:], *_channel)
