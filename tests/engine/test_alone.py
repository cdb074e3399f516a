"""A page has a core of its own; a cell that compares times has the machine for itself.

Afterwards everything goes on.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from made_pages import FRONT_MATTER, run_pages
from run import kernel
from run.kernel import (
    CAN_KEEP_TO_A_CORE,
    Machine,
    cores,
)
from run.page import parse_page

pytestmark = pytest.mark.skipif(len(cores()) < 2, reason="two pages at once need two cores")
PAGE = (
    FRONT_MATTER
    + """
```{{code-cell}} python
import os
import time
from pathlib import Path

Path(f"{name}-{{os.getpid()}}").touch()
while not list(Path().glob("{waits_for}-*")):
    time.sleep(0.01)
```

```{{code-cell}} python
:tags: [{tags}]

moments = []
for _ in range({count}):
    time.sleep(0.01)
    moments.append(time.time())
print(*moments)
```
"""
)
TIMED = PAGE.format(tags="alone", name="timed", waits_for="beside", count=100)
BESIDE = PAGE.format(tags="hide-input", name="beside", waits_for="timed", count=200)


def run_together(texts, folder):
    """Run pages at once on one machine, which goes well."""
    runs = run_pages([parse_page("howto/page", text) for text in texts], folder, together=True)
    assert not [problem for run in runs for problem in run.problems]
    return runs


def numbers(run, cell):
    """The numbers that a cell of a run has printed."""
    return [float(number) for number in run.notebook.cells[cell].outputs[0].text.split()]


def at_work_during(timed, beside):
    return [moment for moment in beside if timed[0] < moment < timed[-1]]


def test_other_pages_stand_still_while_a_cell_is_alone(tmp_path):
    slow = TIMED.replace("time.sleep(0.01)\n    moments", "time.sleep(0.1)\n    moments")
    runs = run_together([slow, BESIDE], tmp_path)
    timed, beside = (numbers(run, 1) for run in runs)
    assert len(at_work_during(timed, beside)) <= 1  # one may have been on its way
    assert beside[-1] > timed[-1], "the other page goes on"
    stood_still = timed[-1] - timed[0]
    assert stood_still > 9
    assert runs[1].seconds < stood_still, (
        "a page's own time is what it worked, some four seconds here"
    )


def test_without_the_tag_they_work_side_by_side(tmp_path):
    runs = run_together([TIMED.replace("alone", "hide-input"), BESIDE], tmp_path)
    timed, beside = (numbers(run, 1) for run in runs)
    assert len(at_work_during(timed, beside)) > 20


@pytest.mark.skipif(not CAN_KEEP_TO_A_CORE, reason="this system keeps no process to a core")
@pytest.mark.parametrize("tag", ["hide-input", "alone"])
def test_pages_at_once_have_a_core_each_and_one_that_compares_times_has_all(tmp_path, tag):
    shows = "import os\nprint(*sorted(os.sched_getaffinity(0)))\n"
    texts = [TIMED.replace("alone", tag), BESIDE]
    runs = run_together([text.replace("import os\n", shows) for text in texts], tmp_path)
    own, beside = (numbers(run, 0) for run in runs)
    assert len(beside) == 1
    if tag == "alone":
        assert own == cores()
    else:
        assert len(own) == 1
        assert own != beside


def test_no_more_pages_run_at_once_than_there_are_cores():
    async def most_at_once():
        machine, running, most = Machine(), set(), 0

        async def page():
            nonlocal most
            async with machine.core() as core:
                assert core not in running
                running.add(core)
                most = max(most, len(running))
                await asyncio.sleep(0)
                running.remove(core)

        await asyncio.gather(*(page() for _ in range(3 * len(cores()))))
        return most

    assert asyncio.run(most_at_once()) == len(cores())


def test_page_runs_where_the_system_keeps_no_process_to_a_core(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "CAN_KEEP_TO_A_CORE", False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    (run,) = run_together([TIMED.replace("while not", "while False and not")], tmp_path)
    assert len(numbers(run, 1)) == 100


def test_page_that_stands_still_ends_with_a_build_that_is_killed(tmp_path):
    endless = TIMED.replace("range(100)", "range(10**6)")
    script = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}\n"
        "from pathlib import Path\n"
        "from test_alone import BESIDE, run_together\n"
        f"run_together([{endless!r}, BESIDE], Path({str(tmp_path)!r}))\n"
    )
    build = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path)
    end = time.monotonic() + 180
    while len(found := [*tmp_path.glob("timed-*"), *tmp_path.glob("beside-*")]) < 2:
        assert build.poll() is None, "the build goes on"
        assert time.monotonic() < end, "both pages start"
        time.sleep(0.05)
    pages = [psutil.Process(int(path.name.partition("-")[2])) for path in found]
    while psutil.STATUS_STOPPED not in [page.status() for page in pages]:
        assert time.monotonic() < end, "one of them stands still"
        time.sleep(0.05)
    os.kill(build.pid, signal.SIGKILL)
    build.wait()
    _, alive = psutil.wait_procs(pages, timeout=30)
    assert not alive, "no page must outlive its build, least of all as one that stands still"
