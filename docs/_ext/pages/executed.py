"""Hand the outputs of executed pages to myst-nb, which renders them."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from figures import movable
from figures.formats import one_picture
from run.build import Build, PagesFailed, build_of
from run.insides import inside, missing
from run.page import MEASURE, is_pasted, parse_page
from run.store import Execution, PageStore, measured_by

_LOST = "pages show no outputs"
# What myst-nb writes on the cells of a document, for other rooms to find them by.
_MARKS = {"nb_element", "cell_index", "cell_metadata"}


def give_formats(app: Sphinx, build: Build) -> None:
    """Tell myst-nb how to read each page with code."""
    config = inside(app.env, "mystnb_config", _LOST)
    if config is None or inside(config, "custom_formats", _LOST) is None:
        return
    # myst-nb chooses a reader by the end of the path. An entry for each page with code
    # tells it which page it reads, and leaves every other page ordinary Markdown.
    config.custom_formats = {
        f"{Path(app.srcdir)}/{result.page.docname}.md": (
            "pages.executed.read_page",
            {"root": str(build.root), "docname": result.page.docname, "key": result.key},
            False,
        )
        for result in build.results
    }


def check_marks(app: Sphinx, doctree: nodes.document) -> None:
    """Warn where the visible cells of a page do not have the marks of myst-nb."""
    result = build_of(app).result(app.env.docname)
    if result is None or not any(is_pasted(cell.tags) for cell in result.page.cells):
        return
    if not any(set(each.attributes) >= _MARKS for each in doctree.findall(nodes.container)):
        lost = "figures are not checked and do not move, and downloads have no cells to run"
        missing(f"{', '.join(sorted(_MARKS))} on the cells of myst-nb", lost)


def outdated_pages(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Name the pages whose outputs are not those that the last build rendered."""
    config = getattr(env, "mystnb_config", None)
    formats = getattr(config, "custom_formats", {}).values()
    keys = {options["docname"]: options["key"] for _, options, _ in formats if "key" in options}
    rendered = getattr(env, "executed_page_keys", {})
    env.executed_page_keys = keys  # type: ignore[attr-defined]
    return [docname for docname, key in keys.items() if rendered.get(docname) != key]


def read_page(text: str, root: str, docname: str, key: str) -> NotebookNode:
    """Return the page as a notebook with the outputs of its stored run."""
    page = parse_page(docname, text, Path(root))
    run = PageStore.of(Path(root)).load(docname, key)
    code = [index for index, cell in enumerate(page.notebook.cells) if cell.cell_type == "code"]
    cells = page.notebook.cells
    if run is None or [cells[i].source for i in code] != [c.source for c in run.notebook.cells]:
        raise PagesFailed(f"{page.path} or the page store changed during the build; build again")
    for index, executed in zip(code, run.notebook.cells, strict=True):
        if MEASURE in cells[index].metadata.get("tags", []):
            cells[index] = _table_of(executed)
        else:
            _add_outputs(Path(root), cells[index], executed)
    _add_provenance(page.notebook, run)
    page.notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python3"}
    return page.notebook


def _add_outputs(root: Path, cell: NotebookNode, executed: NotebookNode) -> None:
    cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
    if movable.is_movable(executed):
        movable.show(root, cell, executed)
    for output in cell.outputs:
        if "data" in output:
            output.data = NotebookNode(one_picture(output.data))


def _table_of(executed: NotebookNode) -> NotebookNode:
    """Return a Markdown cell with a small table of the values that a cell measured."""
    names = dict.fromkeys(value.name for value in measured_by(executed))
    text = f"```{{measured-here}} {' '.join(names)}\n```" if names else ""
    return new_markdown_cell(text)


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
