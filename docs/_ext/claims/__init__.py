"""Hold what pages measured to what their tables say, and write it into prose.

``{claim}`name` `` shows a value, ``{claim}`words <name>` `` puts words in its place.
``{quoted}`86.3 %` `` marks a figure that others report, beside its citation, and
``{setting}`3 times` `` one that somebody chose.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from claims import export, listing, roles, shown
from claims.gather import Claims
from run.build import Build, build_of

__all__ = ["Claims", "claims_of"]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("pages-executed", gather)
    app.connect("pages-executed", hold, priority=900)  # after other rooms have added records
    roles.add(app)
    listing.add(app)
    shown.connect(app)
    app.connect("doctree-read", roles.shorten_in_tables)
    app.connect("build-finished", export.write_json)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def claims_of(app: Sphinx) -> Claims:
    """Return the claims of the build that an application runs."""
    claims: Claims = build_of(app).facts[Claims]
    return claims


def gather(app: Sphinx, build: Build) -> None:
    """Read the tables, and take what the pages measured."""
    build.facts[Claims] = Claims.of_pages(build.root, build.results)


def hold(app: Sphinx, build: Build) -> None:
    """Hold every value; what does not hold is a problem of the build."""
    claims = claims_of(app)
    claims.hold()
    build.problems += claims.problems
