"""A page forked from the process that imports once is like one that starts by itself."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from site_pages import FRONT_MATTER

from page_kernel import Machine, kernel_environment, prepare, run_page
from page_nursery import CAN_FORK, SHARED, Nursery
from page_runner import short_folder
from page_source import parse_page

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="pages start by themselves here")
ROOT = Path(__file__).parents[2]
IMPORTED = "import sys\nprint('braintools' in sys.modules)"
AROUND = """\
import os
import signal
import sys
import warnings

import braintools

print("folder", os.getcwd())
print("path", sys.path)
print("program", sys.argv[0], sys.flags)
print("own session", os.getsid(0) == os.getpid())
for name, value in sorted(os.environ.items()):
    if not name.startswith(("JPY_", "TRAINABLE_SPIKES_COMPILE")):  # these have its process's name
        print("variable", name, value)
print("signals", signal.getsignal(signal.SIGCHLD), signal.getsignal(signal.SIGINT))
print("input", os.read(0, 1))
print("cores", len(os.sched_getaffinity(0)))
print("warnings", *sorted(str(kind) for kind in warnings.filters), sep="\\n")
"""
DRAWN = """\
import matplotlib
import matplotlib.pyplot as plt

print(sorted(matplotlib.rcParams.items()))
_ = plt.plot([1, 2])
"""
COMPUTED = """\
import brainpy.state
import brainstate
import brainunit as u
import jax
import jax.numpy as jnp

brainstate.environ.set(dt=1.0 * u.ms)
brainstate.random.seed(0)
neuron = brainpy.state.LIF(3)
brainstate.nn.init_all_states(neuron)
print(neuron(brainstate.random.rand(3) * u.mA), neuron.V.value, len(jax.devices()))
print(jax.jit(lambda x: jnp.fft.fft(x).real)(jnp.arange(5.0)), jax.config.jax_platforms)
"""


def page_of(*cells, tag="hide-input"):
    code = (f"\n```{{code-cell}} python\n:tags: [{tag}]\n\n{cell}\n```\n" for cell in cells)
    return parse_page("howto/page", FRONT_MATTER + "".join(code))


def run_pages(pages, folder, *, nursery=True, programs=None, modules=SHARED):
    """Run pages one after another, out of a nursery or each by itself."""
    environment = kernel_environment(ROOT, folder)
    prepare(environment)

    async def all_of_them(sockets):
        machine = Machine(Nursery(environment, modules) if nursery else None)
        try:
            return [
                await run_page(page, folder, environment, Path(sockets, str(n)), programs, machine)
                for n, page in enumerate(pages)
            ]
        finally:
            if machine.nursery:
                machine.nursery.close()

    with tempfile.TemporaryDirectory(dir=short_folder()) as sockets:
        return asyncio.run(all_of_them(sockets))


def shown(run):
    """What the cells of a run have put out, without the paths of its own sockets."""
    assert not run.problems
    return [cell.outputs for cell in run.notebook.cells]


def test_forked_page_finds_and_shows_what_it_would_by_itself(tmp_path):
    page = page_of(AROUND, DRAWN, COMPUTED)
    (forked,) = run_pages([page], tmp_path)
    (alone,) = run_pages([page], tmp_path, nursery=False)
    around, *rest = shown(forked)
    around_alone, *rest_alone = shown(alone)
    assert around[0].text.splitlines() == around_alone[0].text.splitlines()
    assert rest == rest_alone
    assert "image/png" in str(rest)


def test_imports_are_there_when_a_page_begins_and_not_where_it_has_all_cores(tmp_path):
    pages = [page_of(IMPORTED), page_of(IMPORTED, tag="alone")]
    assert [run[0][0].text for run in map(shown, run_pages(pages, tmp_path))] == [
        "True\n",
        "False\n",
    ]


def test_forked_pages_share_nothing_that_one_has_changed(tmp_path):
    changes = "import braintools\nassert not hasattr(braintools, 'mark')\nbraintools.mark = 1"
    for run in run_pages([page_of(changes), page_of(changes)], tmp_path):
        shown(run)


def test_forked_page_uses_the_programs_that_another_has_compiled(tmp_path):
    programs = tmp_path / "programs"
    first, second = run_pages([page_of(COMPUTED)] * 2, tmp_path, programs=programs)
    assert first.compiled > 0
    assert second.compiled == 0
    assert shown(first) == shown(second)


def test_forked_page_that_is_killed_is_reported(tmp_path):
    page = page_of("import os\nimport signal\n\nos.kill(os.getpid(), signal.SIGKILL)")
    for run in run_pages([page, page], tmp_path):
        assert "ended the page's process" in run.problems[0]


@pytest.mark.parametrize(
    "source",
    [
        "import threading\n\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import warnings\n\nwarnings.warn('about to go')",
        "import that_nobody_has",
    ],
    ids=["starts a thread", "says something", "cannot be imported"],
)
def test_pages_start_by_themselves_where_a_shared_import(source, tmp_path, monkeypatch):
    (tmp_path / "shared.py").write_text(source)
    environment = kernel_environment(ROOT, tmp_path)
    environment["PYTHONPATH"] += os.pathsep + str(tmp_path)

    async def is_ready():
        nursery = Nursery(environment, ["shared"])
        try:
            return await nursery.ready
        finally:
            nursery.close()

    assert not asyncio.run(is_ready())
    (run,) = run_pages([page_of(IMPORTED)], tmp_path, modules=["that_nobody_has"])
    assert shown(run)[0][0].text == "False\n"


BUILD = """\
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_nursery import page_of, run_pages
run_pages([page_of("import os, time\\nprint(open('pid', 'w').write(str(os.getpid())))"
                   "\\ntime.sleep(600)")], Path({folder!r}))
"""


def test_nothing_outlives_a_build_that_is_killed(tmp_path):
    code = BUILD.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "docs" / "_ext")}
    build = subprocess.Popen([sys.executable, "-c", code], env=environment)
    file = tmp_path / "pid"
    while not (file.exists() and file.read_text()):
        assert build.poll() is None, "it ended before its page ran"
        time.sleep(0.05)
    page = psutil.Process(int(file.read_text()))
    nursery = page.parent()
    assert "page_nursery" in nursery.cmdline()
    build.send_signal(signal.SIGKILL)
    build.wait()
    with contextlib.suppress(psutil.NoSuchProcess):
        nursery.wait(timeout=10)
    with contextlib.suppress(psutil.NoSuchProcess):
        page.wait(timeout=10)
