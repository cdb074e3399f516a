"""Handlers of the build's events: add recorded values, and judge records by the bounds of today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from sphinx.application import Sphinx

from claims.gather import Recorded, claims_of
from evidence.judged import failing_changes, least_rooms
from evidence.recorded import load_evidence
from run.build import Build
from run.shell.measuring import Measured


def add_recorded(app: Sphinx, build: Build) -> None:
    """Give the claims of this build the values that scripts have recorded."""
    for record in recorded_values(build.root):
        claims_of(app).take(*record)


def recorded_values(root: Path) -> Iterator[tuple[str, str, list[Measured], Recorded]]:
    """Yield the page, the file, the values and the origin of each record."""
    for file, record in load_evidence(root):
        came = record.provenance
        origin = Recorded(came.when, came.device, came.commit, record.stale(root), asdict(came))
        yield record.page, file, record.measured, origin


def judge_records(app: Sphinx, build: Build) -> None:
    """Say of each claim how much room it had, and under which changes it fails."""
    claims = claims_of(app)
    pages = {result.page.docname: result.page for result in build.results}
    claims.rooms = least_rooms(claims, pages)
    claims.fails_when = failing_changes(claims, pages)
