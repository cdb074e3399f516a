"""Run every page once before Sphinx reads it, and keep what it gave.

The setup runs the pages and then sends two events of its own, to which other rooms connect in
the order of the extensions: `pages-executed`, when all runs are at hand, and `pages-judged`, when
what they measured has been held to what the pages say. A build with a problem ends in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Run pages when a build begins."""
    # Imported here, so that a script without Sphinx can use modules of this room.
    from run import lifecycle

    # What renders pages is part of every document: another version renders all of them.
    app.add_config_value("rendering_code", lifecycle.rendering_code(), "env", str)
    app.add_event("pages-executed")
    app.add_event("pages-judged")
    # After the handler of myst-nb, which is set up later and makes a configuration that the
    # handlers of `pages-judged` extend.
    app.connect("builder-inited", lifecycle.run_all, priority=900)
    app.connect("env-get-outdated", lifecycle.outdated)
    app.connect("build-finished", lifecycle.finish, priority=1000)  # after all that write files
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
