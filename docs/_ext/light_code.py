"""Leave out of code the markup that changes nothing: half of all elements of a long page.

Pygments marks every name, bracket and space, and both styles paint most of these like the text
around them. A browser that has to lay out each of them keeps a phone's reader waiting.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

# Names, those of modules, punctuation and spaces; a test holds them to the styles of the theme.
PLAIN = ("n", "nn", "nx", "p", "pm", "w")
_SPAN = re.compile(rf'<span class="(?:{"|".join(PLAIN)})">([^<]*)</span>')


def setup(app: Sphinx) -> dict[str, Any]:
    # After the links have been put into the code: they go by this markup.
    app.connect("html-page-context", lighten, priority=700)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def lighten(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doc: Any) -> None:
    """Take the markup out of the page's body."""
    if "body" in context:
        context["body"] = _SPAN.sub(r"\1", context["body"])
