"""Let the links in the text of the 404 page begin at the host's root, as the rest of it does.

A host shows that page at any address, where a relative link would lead nowhere.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from notfound.utils import replace_uris
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("notfound.extension")
    app.connect("doctree-resolved", lead_from_anywhere)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def lead_from_anywhere(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if docname == app.config.notfound_pagename:
        replace_uris(app, doctree, nodes.reference, "refuri")
