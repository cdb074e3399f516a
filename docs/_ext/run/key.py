"""The key of an execution: equal keys mean that running the page again is pointless."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from run.code import used_files
from run.page import Page

REQUIREMENTS = "requirements/pages.txt"
# How a page is run decides its outputs; how runs are scheduled and reported does not.
RUNNER = ("kernel.py", "programs.py", "shell/*.py")


class Keys:
    """The keys of pages in a checkout, as its files and this environment are now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = fingerprint(root)

    def key(self, page: Page) -> str:
        """Return the key of a page; neither its prose nor its table of claims is in it."""
        cells = [[cell.source, sorted(cell.tags)] for cell in page.cells]
        package = package_digest(self.root, "\n".join(cell.source for cell in page.cells))
        return _digest([self.environment, package, page.alone, cells, page.compiles])


def fingerprint(root: Path) -> str:
    """Hash all that the outputs of every page depend on: versions, machine, runner and data."""
    parts = {
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "versions": installed_versions(root / REQUIREMENTS),
        "files": {path.relative_to(root).as_posix(): _bytes_of(path) for path in _files(root)},
    }
    return _digest(parts)


def package_digest(root: Path, code: str) -> str:
    """Hash the modules of the package that a page's code uses.

    Importing the package runs its `__init__`, so what that does beside importing counts as well.
    """
    source = root / "src"
    used = used_files([source], [code])
    starts = {path: _start(path) for path in sorted(source.glob("*/__init__.py"))}
    files = {path.relative_to(root).as_posix(): _bytes_of(path) for path in used}
    return _digest([files, sorted(starts.values())])


def _start(init: Path) -> str:
    """Return what a package's `__init__` does beside importing and listing names."""
    ignored = (ast.Import, ast.ImportFrom)
    body = ast.parse(init.read_text(encoding="utf8")).body
    rest = [node for node in body if not isinstance(node, ignored) and not _is_plain(node)]
    return "\n".join(map(ast.dump, rest))


def _is_plain(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets)


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
    here = root / "docs" / "_ext" / "run"
    for pattern in RUNNER:
        yield from sorted(here.glob(pattern))
    for path in _tree(root / "src"):
        if path.suffix != ".py":  # data of the package
            yield path
    for folder in sorted((root / "docs").rglob("data")):
        if folder.is_dir() and not _ignored(folder.relative_to(root)):
            yield from _tree(folder)


def _tree(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _ignored(path.relative_to(folder)):
            yield path


def _ignored(relative: Path) -> bool:
    return any(part.startswith(".") or part in ("__pycache__", "_build") for part in relative.parts)


def _bytes_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
