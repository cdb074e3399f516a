"""Correct what the theme, docutils and the extension of the 404 page leave wrong."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx

HIDDEN = "visually-hidden"


def name_columns(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give screen readers a word for an empty heading, such as the one over the names of rows."""
    for head in doctree.findall(nodes.thead):
        for number, entry in enumerate(head.findall(nodes.entry)):
            if not entry.astext().strip():
                word = "value" if number else "row"
                entry.children = [nodes.inline(text=word, classes=[HIDDEN])]


def lead_from_anywhere(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let the links in the text of the 404 page begin at the host's root, as its other links do.

    A host shows that page at any address, where a relative link would lead nowhere.
    """
    if docname != app.config.notfound_pagename:
        return
    for link in doctree.findall(nodes.reference):
        if link.get("internal") and "refuri" in link:
            link["refuri"] = urljoin(app.config.notfound_urls_prefix, link["refuri"])


def name_citations(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Make citations items of the list that they stand in; their own role is deprecated."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
