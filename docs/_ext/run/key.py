"""The key of an execution: equal keys mean that running the page again is pointless."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from page_source import Page

REQUIREMENTS = "requirements/pages.txt"
_HOW = (
    "page_kernel",
    "page_nursery",
    "vector_figures",
    "compile_times",
    "compiled_programs",
    "claims",
    "claim_record",
)
# How a page is run decides its outputs; how runs are scheduled and reported does not.
RUNNER = tuple(f"docs/_ext/{name}.py" for name in _HOW)


def fingerprint(root: Path) -> str:
    """Hash everything but the page itself that its outputs depend on."""
    parts = {
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "versions": installed_versions(root / REQUIREMENTS),
        "files": {
            path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in _files(root)
        },
    }
    return _digest(parts)


def page_key(page: Page, environment: str) -> str:
    """Return the key of `page` under the fingerprint `environment`; prose is not in it."""
    cells = [[cell.source, sorted(cell.tags)] for cell in page.cells]
    # Only where it is set: records of margins are kept under keys, too, and outlive a build.
    return _digest([environment, page.alone, cells] + ["compiles"] * page.compiles)


def installed_versions(requirements: Path) -> dict[str, str]:
    """Return the installed version of each distribution that `requirements` names.

    What is installed counts, not what is written: an environment that drifted from the
    file must not pass its results off as those of the file.
    """
    return {name: _version(name) for name in sorted(_names(requirements))}


def _names(requirements: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in requirements.read_text().splitlines())
    found = (Requirement(line) for line in lines if line and not line.startswith("-"))
    # What is for other systems may be here for something else, and runs no page.
    return {each.name for each in found if each.marker is None or each.marker.evaluate()}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in RUNNER)
    yield from _tree(root / "src")
    for folder in sorted((root / "docs").rglob("data")):
        if folder.is_dir() and not _ignored(folder.relative_to(root)):
            yield from _tree(folder)


def _tree(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _ignored(path.relative_to(folder)):
            yield path


def _ignored(relative: Path) -> bool:
    return any(part.startswith(".") or part in ("__pycache__", "_build") for part in relative.parts)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
