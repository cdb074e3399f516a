"""Show the signature of a class's `__init__` where its metaclass would hide it."""

from __future__ import annotations

import inspect
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.autodoc")  # whose event it is
    app.connect("autodoc-process-signature", use_init)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def use_init(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str
) -> tuple[str, str] | None:
    """Replace `(*args, **kwargs)`, all that a metaclass with a `__call__` of its own tells."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    found = inspect.signature(obj.__init__)
    without_self = list(found.parameters.values())[1:]
    shown = found.replace(parameters=without_self)
    return stringify_signature(shown, show_annotation=False, show_return_annotation=False), returns
