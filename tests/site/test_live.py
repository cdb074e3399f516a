"""While a page is edited, the browser that shows it shows the edit, without a hand on it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
NOXFILE = (Path(__file__).parents[2] / "noxfile.py").read_text()
ADDRESS = re.compile(r"Serving on (http://[\w.:]+)")


def command():
    """Return what the session runs, with its folders put in."""
    session = NOXFILE[NOXFILE.index("def docs_live") :].partition("@nox.session")[0]
    ignored = re.findall(r'"(\*/[^"]*)"', session)
    assert len(ignored) == 3, "expected the folders that a build itself writes"
    words = ["--watch", "src", *(word for each in ignored for word in ("--ignore", each))]
    options = ["-n", "-d", "docs/_build/doctrees", "docs", "docs/_build/html"]
    assert all(f'"{word}"' in session for word in ("--watch", "src", "--ignore", "-n", "-d"))
    return [sys.executable, "-m", "sphinx_autobuild", "--port", "0", *words, *options]


@pytest.fixture
def served(site, tmp_path):
    """The fixture site behind the server of `nox -s docs-live`, with what it says."""
    said = tmp_path / "said.txt"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.pop("TRAINABLE_SPIKES_PAGE_STORE", None)
    with said.open("w") as file:
        server = subprocess.Popen(
            command(), cwd=site.root, env=environment, stdout=file, stderr=file
        )
    try:
        yield site, wait_for(lambda: ADDRESS.search(said.read_text()), said), said
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(found, said):
    end = time.monotonic() + 120
    while not (result := found()):
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.1)
    return result[1]


def test_page_in_a_browser_follows_an_edit(served, browser):
    site, address, said = served
    page = browser.new_page()
    page.goto(f"{address}/first.html")
    page.wait_for_selector("text=it may change without a run")
    site.edit("docs/first.md", "it may change", "it has changed by hand")
    page.wait_for_selector("text=it has changed by hand", timeout=120_000)
    page.close()
    rounds = said.read_text().count("build succeeded")
    time.sleep(3)  # what a build writes must not begin another
    assert said.read_text().count("build succeeded") == rounds == 2, said.read_text()
    assert site.executed() == ["first", "second"], "no page was executed again"
