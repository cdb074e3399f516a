"""What is kept of runs outside a build: values by claim, with the versions that gave them.

Bounds are not kept, so a bound that is moved is judged against these values without a run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from run.code import digest_of_code, used_files
from run.key import REQUIREMENTS
from run.page import Page
from run.provenance import DISTRIBUTIONS

MARGINS = "docs/evidence/margins.json"
CHANGED_INPUTS = "docs/evidence/changed_inputs.json"


@dataclass(frozen=True)
class Record:
    """The values of a page's claims in several runs, by run and then by claim.

    Runs of margins are numbered draws; those of changed inputs have the names of the changes.
    """

    code: str
    versions: dict[str, str]
    runs: dict[str, dict[str, float]]


Records = dict[str, dict[str, Record]]  # by stack, such as "3.11", then by page


def code_of(root: Path, page: Page) -> str:
    """Return a hash of what a page's values depend on, versions aside."""
    sources = [cell.source for cell in page.cells]
    files = used_files([root / "src"], ["\n".join(sources)])
    parts = [*sources, *(digest_of_code(path) for path in files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def load(root: Path, file: str) -> Records:
    """Return a file of records, empty if there is none."""
    path = root / file
    found = json.loads(path.read_text(encoding="utf8")) if path.exists() else {}
    return {
        stack: {page: Record(**record) for page, record in pages.items()}
        for stack, pages in found.items()
    }


def save(
    root: Path, file: str, stack: str, page: Page, runs: Mapping[str, dict[str, float]]
) -> None:
    """Put a page's record in the place of an older one."""
    records = load(root, file)
    versions = versions_of(root, stack)
    record = Record(code_of(root, page), versions, dict(runs))
    records.setdefault(stack, {})[page.docname] = record
    (root / file).write_text(_as_text(records), encoding="utf8")


def _as_text(records: Records) -> str:
    """Write records as JSON with a line for each run, so that a diff shows which runs are new."""
    stacks = []
    for stack, pages in sorted(records.items()):
        parts = []
        for page, record in sorted(pages.items()):
            runs = [
                f"   {json.dumps(run)}: {_line(record.runs[run])}" for run in sorted(record.runs)
            ]
            parts.append(
                f'  {json.dumps(page)}: {{"code": "{record.code}", '
                f'"versions": {_line(record.versions)}, "runs": {{\n' + ",\n".join(runs) + "}}"
            )
        stacks.append(f" {json.dumps(stack)}: {{\n" + ",\n".join(parts) + "}")
    return "{\n" + ",\n".join(stacks) + "}\n"


def _line(values: Mapping[str, object]) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def versions_of(root: Path, stack: str) -> dict[str, str]:
    """Return the versions of the libraries that `requirements` pins for a version of Python."""
    found = {}
    environment = {"python_version": stack, "python_full_version": f"{stack}.0"}
    for line in (root / REQUIREMENTS).read_text().splitlines():
        text = line.split("#")[0].strip()
        if not text or text.startswith("-"):
            continue
        wanted = Requirement(text)
        if wanted.name in DISTRIBUTIONS and (
            wanted.marker is None or wanted.marker.evaluate(environment)
        ):
            found[wanted.name] = str(wanted.specifier).removeprefix("==")
    return found


def age(root: Path, page: Page, stack: str, record: Record) -> str:
    """Say in what a record is older than the page, or nothing where it is not."""
    older = ["older code"] if record.code != code_of(root, page) else []
    now = versions_of(root, stack)
    older += [f"{name} {was}" for name, was in record.versions.items() if now.get(name) != was]
    return f"with {', '.join(older)}" if older else ""
