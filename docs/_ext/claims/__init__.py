"""Hold what pages measured to what their tables say, and write it into prose.

``{claim}`name` `` shows a value, ``{claim}`words <name>` `` puts words in its place.
``{quoted}`86.3 %` `` marks a figure that others report, beside its citation, and
``{setting}`3 times` `` one that somebody chose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Hold the claims of a build, and let documents show them."""
    # Imported here, so that a script without Sphinx can use modules of this room.
    from claims import export, gather, listing, roles, shown

    app.connect("pages-executed", gather.gather)
    app.connect("pages-executed", gather.hold, priority=900)  # after other rooms have added records
    roles.add(app)
    listing.add(app)
    shown.connect(app)
    app.connect("doctree-read", roles.shorten_in_tables)
    app.connect("build-finished", export.write_json)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
