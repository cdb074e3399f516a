"""Let the links in the text of the 404 page begin at the host's root, as the rest of it does.

A host shows that page at any address, where a relative link would lead nowhere.
"""

from __future__ import annotations

from docutils import nodes
from notfound.utils import replace_uris
from sphinx.application import Sphinx


def lead_from_anywhere(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if docname == app.config.notfound_pagename:
        replace_uris(app, doctree, nodes.reference, "refuri")
