"""Recorded evidence: results too long for a build, with what they came from.

A script `docs/evidence/NAME.py` measures and calls :func:`record`, which writes `NAME.json`
beside it; `nox -s evidence -- NAME` runs it. The site shows such values marked as recorded, and
says so when the code has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from claims.claim import full_name, limits, make_claim, mean
from claims.table import read_tables
from run.code import digest_of_code, used_files
from run.provenance import Provenance, provenance
from run.shell.measuring import Measured

FOLDER = "docs/evidence"


@dataclass(frozen=True)
class Origin(Provenance):
    """Where a record comes from, and the day it was made."""

    when: str


@dataclass(frozen=True)
class Evidence:
    """The values of one record; `code` maps each file they came from to its hash."""

    page: str
    measured: list[Measured]
    code: dict[str, str]
    provenance: Origin

    def stale(self, root: Path) -> bool:
        """Whether the code of any file that made the record is another now, or gone."""
        return any(digest_of_code(root / name) != found for name, found in self.code.items())


def record(script: str, page: str, measured: Sequence[Measured], *, device: str = "") -> Path:
    """Write what `script`, a path, measured for a page of the site.

    `device` names the machine, where that is not this one's processor.

    Raises
    ------
    SystemExit
        A value does not fit the page's table, or misses its bound; nothing is written then.
    """
    source = Path(script).resolve()
    root = source.parents[2]
    _hold(root, page, measured)
    code = source.read_text(encoding="utf8")
    used = [source, *used_files([root / "src", root / FOLDER], [code])]
    came = provenance(root)
    came = replace(came, device=device or came.device)
    found = Evidence(
        page=page,
        measured=list(measured),
        code={path.relative_to(root).as_posix(): digest_of_code(path) for path in used},
        provenance=Origin(**asdict(came), when=datetime.now(UTC).date().isoformat()),
    )
    target = source.with_suffix(".json")
    target.write_text(json.dumps(asdict(found), indent=1, ensure_ascii=False) + "\n")
    return target


def _hold(root: Path, page: str, measured: Sequence[Measured]) -> None:
    entries, problems = read_tables(root)
    values = {full_name(each.name, each.case): mean(each.values) for each in measured}
    for value in measured:
        entry = entries.get(value.name)
        if entry is None or entry.page != page:
            problems.append(f"the table of {page} has no entry {value.name!r}")
            continue
        claim = make_claim(entry, value, limits(entry, value.case, value.unit, values.get))
        if not claim.holds:
            problems.append(f"outside its bound: {claim.summary}")
    if problems:
        raise SystemExit("\n".join(["nothing is recorded:", *problems]))


def load_evidence(root: Path) -> list[tuple[str, Evidence]]:
    """Return what the scripts under `root` have recorded, with their files, in name order."""
    paths = [script.with_suffix(".json") for script in sorted((root / FOLDER).glob("*.py"))]
    return [(path.relative_to(root).as_posix(), _load(path)) for path in paths if path.exists()]


def _load(path: Path) -> Evidence:
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    facts["measured"] = [Measured(**value) for value in facts["measured"]]
    facts["provenance"] = Origin(**facts["provenance"])
    return Evidence(**facts)
