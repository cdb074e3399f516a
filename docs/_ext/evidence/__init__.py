"""Add what is measured outside a build: recorded results, margins, and changed inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Add recorded values to the claims of a build, and what is known of each claim."""
    # Imported here, so that a script without Sphinx can use modules of this room.
    from evidence import lifecycle

    app.connect("pages-executed", lifecycle.add_recorded)  # before the claims are held
    app.connect("pages-judged", lifecycle.judge_records)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
