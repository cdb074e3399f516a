"""A page forked from the process that imports once is like one that starts by itself."""

import asyncio
import functools
import os
from contextlib import closing

import pytest
from made_pages import FRONT_MATTER, ROOT, run_pages

import page_kernel
from page_kernel import cores, kernel_environment
from page_nursery import CAN_FORK, Nursery
from page_source import parse_page

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="pages start by themselves here")
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

THREADS = """\
import os

import jax.numpy as jnp

jnp.ones(3).block_until_ready()
threads = [int(name) for name in os.listdir("/proc/self/task")]
assert len(threads) > 3
print(*{core for thread in threads for core in os.sched_getaffinity(thread)})
"""
UNSEEDED = """\
import random

import brainstate
import numpy as np

print(random.random(), np.random.random(), brainstate.random.random())
"""


def page_of(*cells, tag="hide-input"):
    code = (f"\n```{{code-cell}} python\n:tags: [{tag}]\n\n{cell}\n```\n" for cell in cells)
    return parse_page("howto/page", FRONT_MATTER + "".join(code))


run_forked = functools.partial(run_pages, nursery=True)


def shown(run):
    """What the cells of a run, which went well, have put out."""
    assert not run.problems
    return [cell.outputs for cell in run.notebook.cells]


def test_forked_page_finds_and_shows_what_it_would_by_itself(tmp_path):
    page = page_of(AROUND, DRAWN, COMPUTED)
    (forked,) = run_forked([page], tmp_path)
    (alone,) = run_pages([page], tmp_path)
    around, *rest = shown(forked)
    around_alone, *rest_alone = shown(alone)
    assert around[0].text.splitlines() == around_alone[0].text.splitlines()
    assert rest == rest_alone
    assert "image/png" in str(rest)


def test_imports_are_there_when_a_page_begins_and_not_where_it_has_all_cores(tmp_path):
    pages = [page_of(IMPORTED), page_of(IMPORTED, tag="alone")]
    assert [run[0][0].text for run in map(shown, run_forked(pages, tmp_path))] == [
        "True\n",
        "False\n",
    ]


@pytest.mark.skipif(len(cores()) < 2, reason="two pages at once need two cores")
def test_every_thread_of_a_forked_page_keeps_to_its_core(tmp_path, monkeypatch):
    # From outside, a process can be late: the page has threads soon.
    monkeypatch.setattr(page_kernel, "_keep_to", lambda *_: None)
    one, other = map(shown, run_forked([page_of(THREADS)] * 2, tmp_path, together=True))
    (first,), (second,) = (outputs[0][0].text.split() for outputs in (one, other))
    assert first != second


def test_forked_pages_without_a_seed_draw_differently(tmp_path):
    one, other = map(shown, run_forked([page_of(UNSEEDED)] * 2, tmp_path))
    assert not set(one[0][0].text.split()) & set(other[0][0].text.split())


def test_forked_pages_share_nothing_that_one_has_changed(tmp_path):
    changes = "import braintools\nassert not hasattr(braintools, 'mark')\nbraintools.mark = 1"
    for run in run_forked([page_of(changes), page_of(changes)], tmp_path):
        shown(run)


def test_forked_page_uses_the_programs_that_another_has_compiled(tmp_path):
    programs = tmp_path / "programs"
    first, second = run_forked([page_of(COMPUTED)] * 2, tmp_path, programs=programs)
    assert first.compiled > 0
    assert second.compiled == 0
    assert shown(first) == shown(second)


def test_forked_page_that_is_killed_is_reported(tmp_path):
    page = page_of("import os\nimport signal\n\nos.kill(os.getpid(), signal.SIGKILL)")
    for run in run_forked([page, page], tmp_path):
        assert "ended the page's process" in run.problems[0]


@pytest.mark.parametrize(
    "source",
    [
        "import threading\n\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import warnings\n\nwarnings.warn('about to go')",
        "import warnings\n\nwarnings.warn('old', DeprecationWarning, stacklevel=2)",
        "import os\n\nos.write(2, b'from a library in C')",
        "import that_nobody_has",
        "1 / 0",
    ],
    ids=["starts a thread", "warns", "is deprecated", "says something", "is missing", "fails"],
)
def test_nursery_gives_up_quietly_where_an_import(source, tmp_path, capfd):
    (tmp_path / "shared.py").write_text(source)
    environment = kernel_environment(ROOT, tmp_path)
    environment["PYTHONPATH"] += os.pathsep + str(tmp_path)

    async def is_ready():
        with closing(Nursery(environment, ["shared"])) as nursery:
            return await nursery.ready

    assert not asyncio.run(is_ready())
    assert capfd.readouterr() == ("", "")


def test_pages_start_by_themselves_where_the_nursery_gives_up(tmp_path):
    (run,) = run_forked([page_of(IMPORTED)], tmp_path, modules=["that_nobody_has"])
    assert shown(run)[0][0].text == "False\n"


def test_pages_start_by_themselves_where_the_nursery_has_ended(tmp_path, monkeypatch):
    fork = Nursery.fork

    async def fork_too_late(nursery, *order):
        nursery.process.kill()
        nursery.process.wait()
        return await fork(nursery, *order)

    monkeypatch.setattr(Nursery, "fork", fork_too_late)
    for run in run_forked([page_of(IMPORTED)] * 2, tmp_path):
        assert shown(run)[0][0].text == "False\n"
