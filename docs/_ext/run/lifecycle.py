"""Handlers of Sphinx's events: run all pages, judge them, and tell a whole site from a part."""

from __future__ import annotations

import hashlib
from pathlib import Path

from filelock import FileLock, Timeout
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from run.build import PagesFailed, build_of, start_build
from run.insides import inside
from run.page import PageError
from run.schedule import problems, run_pages

LOGGER = logging.getLogger(__name__)
ENGINE = Path(__file__).parents[1]


def run_all(app: Sphinx) -> None:
    """Bring all pages up to date; a build with a problem ends here, with the report on all."""
    build = start_build(app)
    build.facts[FileLock] = _wait_for_other_build(Path(app.doctreedir))
    try:
        build.results = run_pages(build.root, LOGGER.info)
    except PageError as error:
        raise PagesFailed(str(error)) from None
    if report := problems(build.results):
        build.problems.append(report)
    app.emit("pages-executed", build)
    if build.problems:
        failed = sum(bool(result.problems) for result in build.results)
        count = f"{failed} of {len(build.results)} pages failed\n\n" if failed else ""
        raise PagesFailed(count + "\n\n".join(build.problems) + "\n")
    app.emit("pages-judged", build)


def outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Name all documents after a build that did not end well.

    Sphinx stores what it has read before it writes a file. After a build that was killed in
    between, or that warned, its account is ahead of the site; then everything is read again.
    """
    mark = _mark(app)
    ended_well = mark.exists()
    mark.unlink(missing_ok=True)
    return [] if ended_well else sorted(env.all_docs)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Note that the site is what Sphinx thinks it is, and let the next build begin."""
    # Without the count every build reads all pages again, as after one that warned.
    warned = inside(app, "_warncount", "each build reads all pages again")
    if error is None and warned == 0:
        _mark(app).touch()
    build_of(app).facts[FileLock].release()


def rendering_code() -> str:
    """Return a hash of the engine, which renders the pages, and of the names that it links."""
    files = sorted([*ENGINE.rglob("*.py"), *ENGINE.parent.glob("_inventories/*.inv")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _wait_for_other_build(doctrees: Path) -> FileLock:
    """Take the folder for this build; the system gives it back when the process ends."""
    doctrees.mkdir(parents=True, exist_ok=True)
    lock = FileLock(doctrees / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        LOGGER.info("another build writes the same site; waiting for it to end")
        lock.acquire()
    return lock


def _mark(app: Sphinx) -> Path:
    return Path(app.doctreedir, "whole")
