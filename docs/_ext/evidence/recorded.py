"""Recorded evidence: results too long for a build, with what they came from.

A script `docs/evidence/NAME.py` measures and calls :func:`record`, which writes `NAME.json`
beside it; `nox -s evidence -- NAME` runs it. The site shows such claims marked as recorded, and
says so when the code has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from claim_record import Claim
from code_digest import digest_of_code, package_files
from provenance import Provenance, provenance

FOLDER = "docs/evidence"


@dataclass(frozen=True)
class Recorded(Provenance):
    """Where a record comes from, and the day it was made."""

    when: str


@dataclass(frozen=True)
class Evidence:
    """The claims of one record; `code` maps each file they came from to its hash."""

    page: str
    claims: list[Claim]
    code: dict[str, str]
    provenance: Recorded

    def stale(self, root: Path) -> bool:
        """Whether the code of any file that made the record is another now, or gone."""
        return any(digest_of_code(root / name) != found for name, found in self.code.items())


def record(script: str, page: str, claims: Sequence[Claim], *, device: str = "") -> Path:
    """Write the claims that `script`, a path, measured for a page of the site.

    `device` names what it measured on, where that is not this machine's processor.
    """
    source = Path(script).resolve()
    root = source.parents[2]
    missed = [claim.summary for claim in claims if not claim.holds]
    if missed:
        raise SystemExit("expected every claim to hold, missed: " + "; ".join(missed))
    code = [source.read_text(encoding="utf8")]
    used = [source, *package_files(root, code, under=("src", FOLDER))]
    came = provenance(root)
    came = replace(came, device=device or came.device)
    found = Evidence(
        page=page,
        claims=list(claims),
        code={path.relative_to(root).as_posix(): digest_of_code(path) for path in used},
        provenance=Recorded(**asdict(came), when=datetime.now(UTC).date().isoformat()),
    )
    target = source.with_suffix(".json")
    target.write_text(json.dumps(asdict(found), indent=1, ensure_ascii=False) + "\n")
    return target


def load_evidence(root: Path) -> list[Evidence]:
    """Return what the scripts under `root` have recorded, in name order."""
    paths = [script.with_suffix(".json") for script in sorted((root / FOLDER).glob("*.py"))]
    return [_load(path) for path in paths if path.exists()]


def _load(path: Path) -> Evidence:
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    facts["claims"] = [Claim(**claim) for claim in facts["claims"]]
    facts["provenance"] = Recorded(**facts["provenance"])
    return Evidence(**facts)
