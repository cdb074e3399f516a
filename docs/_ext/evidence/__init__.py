"""Add what is measured outside a build: recorded results, margins, and changed inputs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sphinx.application import Sphinx

from claims import claims_of
from claims.gather import Recorded
from evidence.judged import failing_changes, least_rooms
from evidence.recorded import load_evidence
from run.build import Build


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("pages-executed", add_recorded)  # before the claims are held
    app.connect("pages-judged", judge_records)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def add_recorded(app: Sphinx, build: Build) -> None:
    """Give the claims of this build the values that scripts have recorded."""
    for file, record in load_evidence(build.root):
        came = record.provenance
        origin = Recorded(
            came.when, came.device, came.commit, record.stale(build.root), asdict(came)
        )
        claims_of(app).take(record.page, file, record.measured, origin)


def judge_records(app: Sphinx, build: Build) -> None:
    """Say of each claim how much room it had, and under which changes it fails."""
    claims = claims_of(app)
    pages = {result.page.docname: result.page for result in build.results}
    claims.rooms = least_rooms(claims, pages)
    claims.fails_when = failing_changes(claims, pages)
