"""Show what cells drew: checked for words, with dark twins and sizes, and figures to move."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from figures import borrowed, dark, movable, sizes, words


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all that is done to a page's figures, in this order."""
    app.add_directive("page-figure", borrowed.PageFigure)
    # Before Sphinx collects the images of a document, which it does at the usual priority and
    # connects first. Among these the order counts: words are checked once, twins are copies, and
    # both of a pair get a size.
    before_collecting = 100
    app.connect("doctree-read", words.check_words, priority=before_collecting)
    app.connect("doctree-read", dark.add_twins, priority=before_collecting)
    app.connect("doctree-read", sizes.add_sizes, priority=before_collecting)
    app.connect("doctree-read", movable.add_live)
    app.connect("html-page-context", movable.add_scripts)
    return {
        "version": "1",
        "env_version": 2,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
