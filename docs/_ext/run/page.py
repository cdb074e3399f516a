"""Pages with code cells: which they are, and what their front matter declares."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode, from_dict

from run.disk import remembered
from run.store import PageStore

# One list for Sphinx (conf.py) and for the runner, so both see the same code cells.
MYST_EXTENSIONS = [
    "amsmath",
    "attrs_block",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
    "fieldlist",
    "substitution",
]
# What takes part in parsing a page: another version of these may find other cells.
PARSER = ("markdown-it-py", "mdit-py-plugins", "myst-nb", "myst-parser", "nbformat", "PyYAML")
KINDS = ("tutorial", "howto", "concept", "gallery")
SENTENCES = {
    "title": "the words of its heading",
    "gives": "what the reader gets, in a sentence",
    "needs": "what the reader needs first, in a sentence",
    "description": "a sentence for search engines",
}
# A cell that measures: a reader sees a table in its place.
MEASURE = "measure"
# A cell that compares times: while it runs, all other pages stand still. Its page has all cores.
ALONE = "alone"
# A cell that shows an error.
EXPECTED_ERROR = "raises-exception"
# Cells that only a build runs: a reader does not see their code.
NOT_PASTED = {MEASURE, "remove-cell", "remove-input"}


class PageError(ValueError):
    """A page cannot be read, or its front matter lacks what every page declares."""


@dataclass(frozen=True)
class Cell:
    """One code cell; `line` is that of its opening fence, counted from 1."""

    source: str
    tags: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Page:
    """A page with code cells; `budget` is in core-seconds, imports included.

    A page that `compiles` compiles all its programs itself, because it measures that. `after`
    names the page to read before it, and is empty for the page that the course begins with.
    """

    docname: str
    path: str
    kind: str
    budget: float
    notebook: NotebookNode
    cells: tuple[Cell, ...]
    compiles: bool = False
    after: str = ""

    @property
    def alone(self) -> bool:
        """Whether some cell compares times, so that no other page may run beside it."""
        return any(ALONE in cell.tags for cell in self.cells)


def list_pages(root: Path) -> list[Page]:
    """Return the pages under `root`/docs that have code cells, in name order.

    The page store keeps what it has parsed.

    Raises
    ------
    PageError
        Naming every page that cannot be read, not only the first.
    """
    docs = root / "docs"
    pages, problems = [], []
    for path in sorted(docs.rglob("*.md")):
        relative = path.relative_to(docs)
        if any(part.startswith(("_", ".")) for part in relative.parts):
            continue
        text = path.read_text(encoding="utf8")
        if "{code-cell}" not in text:
            continue
        try:
            page = parse_page(relative.with_suffix("").as_posix(), text, root)
        except PageError as error:
            problems.append(str(error))
        else:
            pages += [page] if page.cells else []
    problems += _broken_course(pages)
    if problems:
        raise PageError("\n".join(problems))
    return pages


def is_pasted(tags: Collection[str]) -> bool:
    """Whether a reader sees the code of a cell with these tags, and may paste it."""
    return NOT_PASTED.isdisjoint(tags)


def _broken_course(pages: list[Page]) -> list[str]:
    after = {page.docname: page.after for page in pages}
    problems = []
    for page in pages:
        seen, name = {page.docname}, page.after
        while name in after and name not in seen:
            seen.add(name)
            name = after[name]
        if name:
            problems.append(
                f"{page.path}: expected `after` in the front matter to lead, from page to page, "
                f"to the first one of the course; it leads to {name!r}. Name the page to read "
                "before this one, for example `after: tutorials/a-first-neuron`."
            )
    return problems


def parse_page(docname: str, text: str, root: Path | None = None) -> Page:
    """Parse the MyST text of one page into a notebook without outputs.

    Under a `root` the page store keeps it: a rebuild would parse all pages for an edit of one.
    """
    path = f"docs/{docname}.md"
    try:
        notebook = _stored_notebook(text, root) if root else _notebook(text)
    except Exception as error:
        raise PageError(f"{path}: cannot be read as MyST Markdown: {error}") from error
    cells = tuple(
        Cell(cell.source, tuple(cell.metadata.get("tags", ())), line)
        for cell, line in zip(notebook.cells, notebook.metadata["source_map"], strict=True)
        if cell.cell_type == "code"
    )
    if cells:
        _check_front_matter(path, notebook.metadata)
    kind, budget = notebook.metadata.get("kind"), notebook.metadata.get("budget")
    compiles = bool(notebook.metadata.get("compiles"))
    after = str(notebook.metadata.get("after", ""))
    return Page(docname, path, str(kind), float(budget or 0), notebook, cells, compiles, after)


def _notebook(text: str) -> NotebookNode:
    config = MdParserConfig(enable_extensions=set(MYST_EXTENSIONS))
    return read_myst_markdown_notebook(text, config=config, add_source_map=True)


def _stored_notebook(text: str, root: Path) -> NotebookNode:
    parser = [(name, version(name)) for name in PARSER]
    made_from = [text, parser, hashlib.sha256(Path(__file__).read_bytes()).hexdigest()]
    folder = PageStore.of(root).folder / "parsed"
    try:
        return from_dict(remembered(folder, made_from, lambda: _notebook(text)))
    except TypeError:  # YAML has dates, and JSON has none
        return _notebook(text)


def _check_front_matter(path: str, front_matter: NotebookNode) -> None:
    kind, budget = front_matter.get("kind"), front_matter.get("budget")
    for field, meaning in SENTENCES.items():
        if not isinstance(front_matter.get(field), str):
            raise PageError(
                f"{path}: expected `{field}` in the front matter, {meaning}; got "
                f"{front_matter.get(field)!r}. Add `{field}: ...` between the --- lines."
            )
    if kind not in KINDS:
        raise PageError(
            f"{path}: expected `kind` in the front matter, one of {', '.join(KINDS)}; "
            f"got {kind!r}. Add for example `kind: howto` between the --- lines."
        )
    if isinstance(budget, bool) or not isinstance(budget, int | float) or budget <= 0:
        raise PageError(
            f"{path}: expected `budget` in the front matter, the page's core-seconds as a "
            f"positive number; got {budget!r}. Add for example `budget: 60`."
        )
