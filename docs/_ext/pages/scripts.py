"""Load the scripts of a page after its text, and leave out those that it does not need.

The theme writes its scripts into the head, where each of them holds up the page; the template
`layout.html` passes them through here.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

# Half a megabyte, compressed, that draws the icons which a font of the theme draws as well.
ICONS = "/fontawesome.js"
# The theme has these on every page, for results while somebody types, which is switched off.
SEARCH = ("/searchtools.js", "/language_data.js", "searchindex.js")
_WAITS = re.compile(r'\b(defer|async|type="module")')
_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script>", re.DOTALL)
# A browser finds the scripts at the end by itself, and this way the styles come before them.
_PRELOADED = re.compile(r'<link rel="preload" as="script"[^>]*>')


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", offer)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def offer(app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give templates the function that lightens their markup."""
    left_out = (ICONS,) if docname == "search" else (ICONS, *SEARCH)
    context["light_scripts"] = lambda markup: lightened(markup, left_out)


def lightened(markup: str, left_out: tuple[str, ...]) -> str:
    """Return the markup with scripts that wait for the page, in the same order, without some."""

    def mended(match: re.Match[str]) -> str:
        script, tag = match[0], match[0].split(">")[0]
        source = re.search(r'\bsrc="([^"?]*)', tag)
        if source and source[1].endswith(left_out):
            return ""
        if _WAITS.search(tag):
            return script
        if source:
            return script.replace("<script", "<script defer", 1)
        # What refers to a script that waits has to wait as well, as only a module can.
        if "DOCUMENTATION_OPTIONS" in script:
            return script.replace("<script", '<script type="module"', 1)
        return script

    return _SCRIPT.sub(mended, _PRELOADED.sub("", markup))
