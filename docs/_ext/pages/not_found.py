"""Let the links in the text of the 404 page begin at the host's root, as the rest of it does.

A host shows that page at any address, where a relative link would lead nowhere.
"""

from __future__ import annotations

from docutils import nodes
from notfound import utils
from sphinx.application import Sphinx

from run.insides import inside


def lead_from_anywhere(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let the links of that page begin at the root."""
    if docname != app.config.notfound_pagename:
        return
    replace = inside(utils, "replace_uris", "links in the text of the 404 page lead nowhere")
    if replace:
        replace(app, doctree, nodes.reference, "refuri")
