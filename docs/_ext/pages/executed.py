"""Run the pages before Sphinx reads them, and hand their outputs to myst-nb."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout
from myst_nb.core.config import NbParserConfig
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util import logging

import inventories
import movable_figures
import page_runner
from claim_record import MIME, TAG
from page_runner import PageResult
from page_source import PageError, parse_page
from page_store import Execution, PageStore

LOGGER = logging.getLogger(__name__)
# Sharp on every screen and with a dark twin: an SVG is worth some bytes more.
SVG_MAY_BE_LARGER = 1.5
FOLDED = {"code_prompt_show": "What the build checks here", "code_prompt_hide": "Fold"}

# Of this build, for the extensions that show what pages measured.
results: list[PageResult] = []
_lock: BaseFileLock


class PagesFailed(SphinxError):
    """Some pages cannot be shown; the message is the report on all of them."""

    category = "Pages failed"


def setup(app: Sphinx) -> dict[str, Any]:
    # After myst-nb's own handler, which makes the configuration that is extended here.
    app.connect("builder-inited", run_pages, priority=900)
    app.connect("env-get-outdated", outdated_pages)
    app.connect("build-finished", mark_whole, priority=1000)  # after all that write files
    # What renders pages is part of every document: another version renders all of them.
    app.add_config_value("rendering_code", _rendering_code(), "env", str)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def run_pages(app: Sphinx) -> None:
    """Bring all pages up to date; a build with a failing page ends here, with the report."""
    root = Path(app.srcdir).parent
    _wait_for_other_build_of(Path(app.doctreedir))
    try:
        results[:] = page_runner.run_pages(root, LOGGER.info)
    except PageError as error:
        raise PagesFailed(str(error)) from None
    if report := page_runner.problems(results):
        failing = sum(bool(result.problems) for result in results)
        raise PagesFailed(f"{failing} of {len(results)} pages failed\n\n{report}\n")
    # myst-nb chooses a reader by the end of the path. An entry for each page with code
    # tells the reader its page, and leaves every other page ordinary Markdown.
    _myst_nb(app.env).custom_formats = {
        f"{Path(app.srcdir)}/{result.page.docname}.md": (
            "executed_pages.read_page",
            {"root": str(root), "docname": result.page.docname, "key": result.key},
            False,
        )
        for result in results
    }


def outdated_pages(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Name the pages whose outputs are not those that the last build rendered.

    Sphinx stores what it has read before it writes a file. After a build that was killed in
    between, or that warned, its account is ahead of the site; then everything is read again.
    """
    mark = _mark(app)
    whole = mark.exists()
    mark.unlink(missing_ok=True)
    formats = _myst_nb(env).custom_formats.values()
    keys = {options["docname"]: options["key"] for _, options, _ in formats}
    rendered = getattr(env, "executed_page_keys", {})
    env.executed_page_keys = keys  # type: ignore[attr-defined]
    if not whole:
        return sorted(env.all_docs)
    return [docname for docname, key in keys.items() if rendered.get(docname) != key]


def mark_whole(app: Sphinx, error: Exception | None) -> None:
    """Note that the site is what Sphinx thinks it is, and let the next build begin."""
    if error is None and not app._warncount:
        _mark(app).touch()
    _lock.release()


def _wait_for_other_build_of(doctrees: Path) -> None:
    """Take the folder for this build; the system gives it back when the process ends."""
    global _lock
    doctrees.mkdir(parents=True, exist_ok=True)
    _lock = FileLock(doctrees / "lock")
    try:
        _lock.acquire(timeout=0)
    except Timeout:
        LOGGER.info("another build writes the same site; waiting for it to end")
        _lock.acquire()


def _mark(app: Sphinx) -> Path:
    return Path(app.doctreedir, "whole")


def _rendering_code() -> str:
    files = sorted([*Path(__file__).parent.rglob("*.py"), *inventories.FOLDER.glob("*.inv")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _myst_nb(env: BuildEnvironment) -> NbParserConfig:
    config: NbParserConfig = env.mystnb_config  # type: ignore[attr-defined]
    return config


def read_page(text: str, root: str, docname: str, key: str) -> NotebookNode:
    """Return the page as a notebook with the outputs of its stored run."""
    page = parse_page(docname, text, Path(root))
    run = PageStore.of(Path(root)).load(docname, key)
    code = [cell for cell in page.notebook.cells if cell.cell_type == "code"]
    if run is None or [c.source for c in code] != [c.source for c in run.notebook.cells]:
        raise PagesFailed(f"{page.path} or the page store changed during the build; build again")
    for cell, executed in zip(code, run.notebook.cells, strict=True):
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
        if movable_figures.is_movable(executed):
            movable_figures.show(Path(root), cell, executed)
        for output in cell.outputs:
            if "data" in output:
                output.data = NotebookNode(one_picture(output.data))
        if TAG in cell.metadata.get("tags", []):
            _fold(cell)
    _add_provenance(page.notebook, run)
    page.notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python3"}
    return page.notebook


def one_picture(data: dict[str, Any]) -> dict[str, Any]:
    """Keep one of a figure's two formats, compared as a server sends them: SVG where it can be."""
    if not {"image/png", "image/svg+xml"} <= set(data):
        return data
    vector = len(gzip.compress(data["image/svg+xml"].encode()))
    raster = len(data["image/png"]) * 3 / 4
    left_out = "image/png" if vector < SVG_MAY_BE_LARGER * raster else "image/svg+xml"
    return {form: content for form, content in data.items() if form != left_out}


def _fold(cell: NotebookNode) -> None:
    """Fold a cell of claims, with a line for each in the place of its record."""
    cell.metadata["tags"] = [*cell.metadata["tags"], "hide-cell"]
    cell.metadata["mystnb"] = FOLDED
    claims = [out.data["text/plain"] for out in cell.outputs if MIME in out.get("data", {})]
    text = "".join(f"{line}\n" for line in claims)
    cell.outputs = [new_output("stream", name="stdout", text=text)] if claims else []


def _add_provenance(notebook: NotebookNode, run: Execution) -> None:
    """End the page with where its results come from, as of the run and not of the rendering."""
    came = run.provenance
    versions = ", ".join(f"{name} {version}" for name, version in came.versions.items())
    commit = (
        f" at commit {came.commit[:10]}" + ", with changes" * came.changed if came.commit else ""
    )
    line = (
        f"This page ran on {run.finished_at[:10]} in {run.seconds:.0f} s "
        f"({run.cpu_seconds:.0f} core-seconds, {run.compiled} programs compiled, "
        f"at most {run.peak_memory / 2**20:.0f} MiB) on "
        f"{came.device}, with Python {came.python}, {versions}{commit}."
    )
    notebook.cells.append(new_markdown_cell(f":::{{div}} provenance\n{line}\n:::"))
    notebook.metadata["source_map"] = [*notebook.metadata["source_map"], 0]
