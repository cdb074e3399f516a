"""End each entry of the reference with the pages that use what it describes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import executed_pages
from page_source import Page, is_pasted

PACKAGE = "trainable_spikes"
_NAMED = re.compile(rf"\b(?:ts|{PACKAGE}(?:\.[a-z_]+)?)\.([A-Za-z_]+)")
_IMPORTED = re.compile(rf"^from {PACKAGE}\S* import (.+)$", re.MULTILINE)


_used: dict[str, set[str]] = {}  # of this build: the names that each page uses


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.autodoc")  # whose event it is
    # After the pages have run, and after numpydoc, which reads a docstring by its sections.
    app.connect("builder-inited", gather, priority=950)
    app.connect("autodoc-process-docstring", add_pages, priority=900)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}


def gather(app: Sphinx) -> None:
    """Note which names each page of this build uses."""
    _used.clear()
    _used.update(
        {result.page.docname: names_used(result.page) for result in executed_pages.results}
    )
    if not hasattr(app.env, "users_shown"):
        app.env.users_shown = {}  # type: ignore[attr-defined]


def add_pages(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Append the links of an entry that is neither a module nor part of a class."""
    if what not in ("class", "function", "data"):
        return
    users = _users(name)
    shown: dict[str, dict[str, list[str]]] = app.env.users_shown  # type: ignore[attr-defined]
    shown.setdefault(app.env.docname, {})[name] = users
    if users:
        links = ", ".join(f":doc:`/{docname}`" for docname in users)
        lines += ["", f"**Used by:** {links}", ""]


def outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Name the documents with an entry that other pages use than it says.

    Only these: reading the reference takes longer than reading the page whose prose was edited.
    """
    shown: dict[str, dict[str, list[str]]] = env.users_shown  # type: ignore[attr-defined]
    return [
        docname
        for docname, entries in shown.items()
        if docname in env.all_docs and any(_users(name) != was for name, was in entries.items())
    ]


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    env.users_shown.pop(docname, None)  # type: ignore[attr-defined]


def merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    found = getattr(other, "users_shown", {})
    env.users_shown.update({d: found[d] for d in docnames if d in found})  # type: ignore[attr-defined]


def _users(name: str) -> list[str]:
    return [docname for docname, names in _used.items() if name.rpartition(".")[2] in names]


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
