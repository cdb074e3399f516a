"""A small site for tests to change and build, the real site built strictly, and a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Page, sync_playwright

from fixture_project import STRICT, FixtureSite
from serving import served
from visits import Visits, show_as

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# A host says what the site is called there; tests say it where they mean it.
HOST = ("GITHUB_", "READTHEDOCS", "SITE_ADDRESS")
for said in [name for name in os.environ if name.startswith(HOST)]:
    del os.environ[said]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of tests, one for all workers of pytest-xdist."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first worker that needs it makes, and others wait for."""
    done = folder.with_suffix(".done")
    with FileLock(folder.with_suffix(".lock")):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def _built_fixture(shared: Path) -> FixtureSite:
    def make(folder: Path) -> None:
        assert FixtureSite.create(folder).build_well() == ["first", "second"]

    return FixtureSite(made_once(shared / "fixture", make))


@pytest.fixture
def site(_built_fixture: FixtureSite, tmp_path: Path) -> FixtureSite:
    """The fixture site, built once and copied: nothing is stale until a test edits it."""
    shutil.copytree(_built_fixture.root, tmp_path / "project")
    return FixtureSite(tmp_path / "project")


@pytest.fixture(scope="session")
def built_site(shared: Path) -> Path:
    """The real site, built strictly into a temporary folder from the shared page store.

    To try a test, TRAINABLE_SPIKES_SITE may name a site that has been built.
    """
    if named := os.environ.get("TRAINABLE_SPIKES_SITE"):
        return Path(named).resolve()

    def make(folder: Path) -> None:
        command = [*STRICT, "-d", str(folder / "doctrees"), "docs", str(folder / "html")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(shared / "site", make) / "html"


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "run the tests that are marked as planted, and no others"
    parser.addoption("--planted", action="store_true", help=words)


@pytest.hookimpl(tryfirst=True)  # before `-m` leaves tests out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    wanted = config.getoption("--planted")
    left_out = [item for item in items if bool(item.get_closest_marker("planted")) != wanted]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Return when a file comes: while one worker builds the site, the other needs none of it."""
    if item.path.name == "test_accessibility.py":
        return 0
    return 2 if item.path.parent.name == "site" else 1


@pytest.fixture(scope="module")  # while it is open, nothing else can run an event loop
def browser() -> Iterator[Browser]:
    paths = [path for name in BROWSERS if (path := shutil.which(name))]
    if not paths:
        reason = f"NO BROWSER TEST RAN: expected one of {', '.join(BROWSERS)} on the path; found "
        reason += "none. Install one, for example with `apt-get install chromium`."
        if os.environ.get("TRAINABLE_SPIKES_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=paths[0], args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(built_site: Path) -> Iterator[str]:
    with served(built_site) as address:
        yield address


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One window for all tests of a module: to open one takes longer than to load a page."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def page(window: Page) -> Iterator[Page]:
    """The window of a module, on a desktop and light, without the faults of the test before."""
    show_as(window, "desktop", "light")
    yield window
    window.goto("about:blank")  # what it still asks for is not the next test's
    window.unroute_all()
    window.emulate_media(reduced_motion="no-preference")


@pytest.fixture(scope="module")
def visits(browser: Browser, address: str, shared: Path) -> Visits:
    """What is wrong with pages, each of which is looked at once for all tests and workers."""
    return Visits(browser, address, shared / "visits")


@pytest.fixture(scope="session")
def html_names(built_site: Path) -> list[str]:
    names = (path.relative_to(built_site).as_posix() for path in built_site.rglob("*.html"))
    found = sorted(name for name in names if not name.startswith("_static/"))
    assert "index.html" in found
    return found
