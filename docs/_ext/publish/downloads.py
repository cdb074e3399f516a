"""Offer every page with code as notebooks and as a script, beside a wheel of the package.

A download has the prose as plain Markdown, a cell that installs what built the page, and the
cells that a reader sees; what only the build runs is left out. One notebook has outputs, the
other is empty. All are made from the stored run, so they are the same after a build that executed
nothing.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from docutils import nodes
from hatchling.build import build_wheel
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from packaging.requirements import Requirement
from sphinx.application import Sphinx

from figures import movable
from publish.markdown import MARK, to_markdown
from run.build import Build, build_of
from run.insides import missing
from run.page import EXPECTED_ERROR, is_pasted
from run.schedule import PageResult

FOLDER = "downloads"
KINDS = {
    ".py": ("Script", "Download this page as a Python script", "fas fa-file-code"),
    ".ipynb": ("Notebook", "Download this page as an empty notebook", "fas fa-book"),
    "-executed.ipynb": (
        "Notebook with outputs",
        "Download this page as a notebook with its outputs",
        "fas fa-book-open",
    ),
}
_BETWEEN = re.compile(f"{MARK}(\\d+){MARK}")


def write_wheel(app: Sphinx, build: Build) -> None:
    """Build the package's wheel into the site, and remove that of another version."""
    if app.builder.name != "html":
        return
    target, before = Path(app.outdir, FOLDER).resolve(), Path.cwd()
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.whl"):
        old.unlink()
    os.chdir(build.root)  # the hook of PEP 517 builds the project it stands in
    try:
        build_wheel(str(target))
    finally:
        os.chdir(before)


def offer_downloads(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Write a page's downloads, and put them into its menu."""
    result = build_of(app).result(docname)
    if result is None or doctree is None or app.builder.name != "html":
        return
    executed, bare = notebooks(app, result, doctree)
    target = Path(app.outdir, FOLDER, docname)
    target.parent.mkdir(parents=True, exist_ok=True)
    script = _as_notebook([cell for cell in bare.cells if "attachments" not in cell])
    texts = (
        jupytext.writes(script, fmt="py:percent"),
        nbformat.writes(bare),
        nbformat.writes(executed),
    )
    for ending, text in zip(KINDS, texts, strict=True):
        Path(f"{target}{ending}").write_text(text, encoding="utf8")
    buttons = context.get("header_buttons", [])
    group = next((each for each in buttons if each.get("label") == "download-buttons"), None)
    if group is None:
        missing("the theme's group `download-buttons`", "pages have no menu of their downloads")
        return
    group["buttons"][:0] = [
        {
            "type": "link",
            "url": context["pathto"](f"{FOLDER}/{docname}{ending}", 1),
            "text": text,
            "tooltip": tooltip,
            "icon": icon,
            "label": "download-" + ending.strip(".-").replace(".", "-"),
        }
        for ending, (text, tooltip, icon) in KINDS.items()
    ]


def notebooks(
    app: Sphinx, result: PageResult, doctree: nodes.document
) -> tuple[NotebookNode, NotebookNode]:
    """Return a page as two notebooks that need nothing of this site: with outputs, and without."""
    assert result.run, "a build in which a page has no run has ended before"
    cells = result.page.notebook.cells
    code = (index for index, cell in enumerate(cells) if cell.cell_type == "code")
    executed = dict(zip(code, result.run.notebook.cells, strict=True))
    address = app.config.html_baseurl
    text = to_markdown(doctree, app.builder, result.page.docname, marks=True, address=address)
    prose, *rest = _BETWEEN.split(text)
    start = [new_markdown_cell(prose.strip()), new_code_cell(install_line(app))]
    full, empty = [*start], [*start]
    for index, prose in zip(map(int, rest[::2]), rest[1::2], strict=True):
        tags = cells[index].metadata.get("tags", [])
        if is_pasted(tags):
            full.append(_code_cell(executed[index], tags))
            empty.append(new_code_cell(executed[index].source, metadata=full[-1].metadata))
        elif "remove-input" in tags:
            outputs = executed[index].outputs
            if movable.is_movable(executed[index]):
                root = Path(app.srcdir).parent
                outputs = movable.taken_along(root, cells[index], executed[index])
            image = cells[index].metadata.get("mystnb", {}).get("image", {})
            shown = list(_shown(outputs, image.get("alt", "")))
            full += shown
            if movable.is_movable(executed[index]):
                empty += shown  # no cell of theirs draws it
        if prose.strip():
            full.append(new_markdown_cell(prose.strip()))
            empty.append(full[-1])
    return _as_notebook(full), _as_notebook(empty)


def _as_notebook(cells: list[NotebookNode]) -> NotebookNode:
    numbered = [NotebookNode({**cell, "id": f"cell-{n}"}) for n, cell in enumerate(cells)]
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=numbered, metadata={"kernelspec": python})


def _code_cell(executed: NotebookNode, tags: list[str]) -> NotebookNode:
    return new_code_cell(
        executed.source,
        outputs=[_with_one_picture(output) for output in executed.outputs],
        execution_count=executed.execution_count,
        metadata={"tags": [EXPECTED_ERROR]} if EXPECTED_ERROR in tags else {},
    )


def _with_one_picture(output: NotebookNode) -> NotebookNode:
    """Keep of a figure only the format that every program shows."""
    output = deepcopy(output)
    if "image/png" in output.get("data", {}):
        output.data.pop("image/svg+xml", None)
    return output


def _shown(outputs: list[NotebookNode], words: str) -> Iterator[NotebookNode]:
    """Yield what hidden code shows, as prose: a picture, a table or text."""
    for number, output in enumerate(outputs):
        data = output.get("data", {})
        if "image/png" in data:
            name = f"figure-{number}.png"
            yield new_markdown_cell(
                f"![{words}](attachment:{name})",
                attachments={name: {"image/png": data["image/png"]}},
            )
        elif "text/markdown" in data:
            yield new_markdown_cell(data["text/markdown"])
        elif text := output.get("text") or data.get("text/plain"):
            yield new_markdown_cell(f"```text\n{text.rstrip()}\n```")


def install_line(app: Sphinx) -> str:
    """Return the line that installs the package, and the versions that built the site."""
    (wheel,) = Path(app.outdir, FOLDER).glob("*.whl")  # `write_wheel` left one
    place = f"{app.config.html_baseurl}{FOLDER}/" if app.config.html_baseurl else ""
    versions = pinned(Path(app.srcdir).parent)
    pins = " ".join(f"{name}=={version}" for name, version in sorted(versions.items()))
    where = (
        "" if place else f"# First copy {wheel.name} here, from the folder {FOLDER} of the site.\n"
    )
    return f"{where}%pip install --quiet {place}{wheel.name} {pins}"


@cache
def pinned(root: Path) -> dict[str, str]:
    """Return the version of each library that the package asks for, and of their relatives."""
    project = tomllib.loads(root.joinpath("pyproject.toml").read_text())
    names = [Requirement(line).name for line in project["project"]["dependencies"]]
    relatives = [
        found.name
        for found in importlib.metadata.distributions()
        if re.match(r"brain|saiunit|jaxlib", found.name.lower())
    ]
    return {name: importlib.metadata.version(name) for name in {*names, *relatives}}
