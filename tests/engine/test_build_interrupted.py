"""Builds that are killed or run side by side leave a store that the next build can trust."""

import signal
import time

import psutil
import pytest

KILLS_ITSELF = """
def setup(app):
    import os, signal
    app.connect("write-started", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain until {what}"
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "ctrl-c"])
def test_next_build_is_right_after_a_kill_and_no_process_is_left(site, how):
    site.edit("src/trainable_spikes/__init__.py", "41", "43")
    (site.root / "docs/hold").touch()
    build = site.start()
    wait_until(lambda: site.executed() == ["first", "second"], "both pages have started")
    wait_until(lambda: stored(site, "first") == 2, "the first page is stored")
    children = psutil.Process(build.pid).children(recursive=True)
    assert children, "a page is still executing, in a process of its own"
    build.send_signal(how)
    build.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, "pages must not outlive the build that started them"

    (site.root / "docs/hold").unlink()
    assert site.build_well() == ["second"], "the finished page's result is kept"
    assert "first constant 43" in site.html("first")
    assert "43000" in site.html("second")


def test_next_build_is_right_after_a_kill_while_files_are_written(site):
    # Sphinx has stored what it read by then, so its own account says that all is done.
    site.edit("src/trainable_spikes/__init__.py", "41", "43")
    site.edit("docs/conf.py", "# -- HTML", KILLS_ITSELF + "\n# -- HTML")
    status, _ = site.build()
    assert status == -signal.SIGKILL
    assert "first constant 41" in site.html("first"), "nothing new is written yet"
    site.edit("docs/conf.py", KILLS_ITSELF, "")
    assert site.build_well() == []
    assert "first constant 43" in site.html("first")
    assert "43" in site.html("reference/measured")


def test_build_that_warned_warns_again(site):
    site.edit("docs/index.md", "Ordinary Markdown", "{doc}`nowhere`")
    assert site.build()[0] != 0
    status, output = site.build()
    assert status != 0
    assert "nowhere" in output


def test_two_builds_of_one_site_at_once_are_both_right(site):
    (site.root / "ran.txt").unlink()
    site.edit("src/trainable_spikes/__init__.py", "41", "44")
    (site.root / "docs/hold").touch()
    builds = [site.start()]
    wait_until(lambda: "second" in site.executed(), "the pages have started")
    builds += [site.start()]
    read_until(builds[1], "another build writes the same site")
    (site.root / "docs/hold").unlink()
    outputs = [build.communicate(timeout=300)[0] for build in builds]
    assert [build.returncode for build in builds] == [0, 0], outputs
    assert "first constant 44" in site.html("first")


def test_two_builds_at_once_are_both_right_and_execute_each_page_once(site):
    (site.root / "ran.txt").unlink()
    site.edit("src/trainable_spikes/__init__.py", "41", "44")
    (site.root / "docs/hold").touch()
    builds = [site.start("one")]
    wait_until(lambda: site.executed() == ["first", "second"], "the pages have started")
    builds += [site.start("two")]
    read_until(builds[1], "waiting for its results")
    (site.root / "docs/hold").unlink()
    outputs = [build.communicate(timeout=300)[0] for build in builds]
    assert [build.returncode for build in builds] == [0, 0], outputs
    assert site.executed() == ["first", "second"]
    assert outputs[1].count("cached") == 2
    for out in ("one", "two"):
        assert "first constant 44" in site.html("first", out)
        assert "44000" in site.html("second", out)


def stored(site, docname):
    return len(list((site.root / ".page-cache" / docname).glob("*.ipynb")))


def read_until(process, text):
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the build ended without saying {text!r}")
