"""Ask early for the figure that the first screen shows, in the theme of the reader's system.

Figures come twice, and lazily, so that a browser fetches only the one it shows; it knows that
late, once it has the style sheet.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# Characters before a figure that a phone still shows on its first screen.
FEW = 400
THEMES = {"for-light": "light", "for-dark": "dark"}


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", preload)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def preload(
    app: Sphinx,
    docname: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Put links to the first figure of a page into its head, if not much stands above it."""
    if doctree is None or app.builder.format != "html":
        return
    for image in first_images(doctree):
        schemes = [THEMES[name] for name in image["classes"] if name in THEMES]
        media = f' media="(prefers-color-scheme: {schemes[0]})"' if schemes else ""
        context["metatags"] = context.get("metatags", "") + (
            f'<link rel="preload" as="image" fetchpriority="high"{media}'
            f' href="{escape(image["uri"])}" />'
        )


def first_images(doctree: nodes.document) -> list[nodes.image]:
    """Return the first figure of a document, with its twin, unless much text comes before it."""
    length = 0
    for node in doctree.findall():
        if isinstance(node, nodes.image):
            return [each for each in node.parent.children if isinstance(each, nodes.image)]
        length += len(node.astext()) if isinstance(node, nodes.Text) else 0
        if length > FEW:
            break
    return []
