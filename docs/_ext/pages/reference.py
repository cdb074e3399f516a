"""The reference: signatures as they are called, and the pages that use each entry."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.inspect import stringify_signature

from run.build import Build, build_of
from run.page import Page, is_pasted

PACKAGE = "trainable_spikes"
_NAMED = re.compile(rf"\b(?:ts|{PACKAGE}(?:\.[a-z_]+)?)\.([A-Za-z_]+)")
_IMPORTED = re.compile(rf"^from {PACKAGE}\S* import (.+)$", re.MULTILINE)


class Uses(dict[str, set[str]]):
    """By page, the names of the package that it uses."""


def gather_uses(app: Sphinx, build: Build) -> None:
    """Note which names each page of this build uses."""
    uses = {result.page.docname: names_used(result.page) for result in build.results}
    build.facts[Uses] = Uses(uses)
    if not hasattr(app.env, "users_shown"):
        app.env.users_shown = {}  # type: ignore[attr-defined]


def add_pages(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Append the links of an entry that is neither a module nor part of a class."""
    if what not in ("class", "function", "data"):
        return
    users = _users(build_of(app), name)
    shown: dict[str, dict[str, list[str]]] = app.env.users_shown  # type: ignore[attr-defined]
    shown.setdefault(app.env.docname, {})[name] = users
    if users:
        links = ", ".join(f":doc:`/{docname}`" for docname in users)
        lines += ["", f"**Used by:** {links}", ""]


def outdated_users(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Name the documents with an entry whose list of pages has changed.

    Only these: reading the reference takes longer than reading the page whose prose was edited.
    """
    shown: dict[str, dict[str, list[str]]] = env.users_shown  # type: ignore[attr-defined]
    return [
        docname
        for docname, entries in shown.items()
        if docname in env.all_docs
        and any(_users(build_of(app), name) != was for name, was in entries.items())
    ]


def purge_users(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    env.users_shown.pop(docname, None)  # type: ignore[attr-defined]


def merge_users(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    found = getattr(other, "users_shown", {})
    env.users_shown.update({d: found[d] for d in docnames if d in found})  # type: ignore[attr-defined]


def _users(build: Build, name: str) -> list[str]:
    uses: Uses = build.facts[Uses]
    return [docname for docname, names in uses.items() if name.rpartition(".")[2] in names]


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


def use_init(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str
) -> tuple[str, str] | None:
    """Show the parameters of `__init__` where the `__call__` of a metaclass hides them."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    found = inspect.signature(obj.__init__)
    without_self = list(found.parameters.values())[1:]
    shown = found.replace(parameters=without_self)
    return stringify_signature(shown, show_annotation=False, show_return_annotation=False), returns
