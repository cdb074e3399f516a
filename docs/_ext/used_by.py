"""End each entry of the reference with the pages that use what it describes."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

import executed_pages
from page_source import Page, is_pasted

PACKAGE = "trainable_spikes"
_NAMED = re.compile(rf"\b(?:ts|{PACKAGE}(?:\.[a-z_]+)?)\.([A-Za-z_]+)")
_IMPORTED = re.compile(rf"^from {PACKAGE}\S* import (.+)$", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.autodoc")  # whose event it is
    # After numpydoc, which reads a docstring by its sections.
    app.connect("autodoc-process-docstring", add_pages, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def add_pages(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Append the links of an entry that is neither a module nor part of a class."""
    if what not in ("class", "function", "data"):
        return
    users = []
    for result in executed_pages.results:
        app.env.note_dependency(str(app.env.doc2path(result.page.docname)))
        if name.rpartition(".")[2] in names_used(result.page):
            users.append(f":doc:`/{result.page.docname}`")
    if users:
        lines += ["", f"**Used by:** {', '.join(users)}", ""]


def names_used(page: Page) -> set[str]:
    """Return the names of the package that a page's prose or visible cells use."""
    texts = [
        cell.source
        for cell in page.notebook.cells
        if cell.cell_type != "code" or is_pasted(cell.metadata.get("tags", ()))
    ]
    found = {name for text in texts for name in _NAMED.findall(text)}
    for text in texts:
        for names in _IMPORTED.findall(text):
            found.update(re.findall(r"\w+", names))
    return found
