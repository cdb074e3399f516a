"""Correct markup of the theme and of docutils for screen readers."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

HIDDEN = "visually-hidden"


def name_columns(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give a heading that is empty, as over the names of rows, a word to be read out."""
    for head in doctree.findall(nodes.thead):
        for number, entry in enumerate(head.findall(nodes.entry)):
            if not entry.astext().strip():
                word = "value" if number else "row"
                entry.children = [nodes.inline(text=word, classes=[HIDDEN])]


def name_citations(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Make citations items of the list that they stand in; their own role is deprecated."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
