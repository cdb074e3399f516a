"""The hash of a Python file's code, which comments, docstrings and blank lines do not change."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest_of_code(path: Path) -> str:
    """Return the hash of the code in `path`, or "absent" where there is no such file."""
    if not path.exists():
        return "absent"
    return _digest_of_text(path.read_text(encoding="utf8"))


@cache  # a build asks for the files of the package for each page and each record
def _digest_of_text(text: str) -> str:
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            docstrings |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    kept = [
        line.rstrip()
        for number, line in enumerate(text.splitlines(), 1)
        if number not in docstrings and line.strip() and not line.lstrip().startswith("#")
    ]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def package_files(
    root: Path, code: Iterable[str], *, under: Sequence[str] = ("src",)
) -> list[Path]:
    """Return the files under `root`/src that pieces of Python import, directly or through others.

    A module that nobody asks for cannot change what they compute. `under` names other folders.
    """
    found: set[Path] = set()
    waiting = list(code)
    # Listed once: most of the names that are imported are no modules of this project.
    there = {file for folder in under for file in (root / folder).rglob("*.py")}
    while waiting:
        for name in _imported(waiting.pop()):
            paths = [root / folder / name.replace(".", "/") for folder in under]
            for file in (file for path in paths for file in module_files(path)):
                if file in there and file not in found:
                    found.add(file)
                    waiting.append(file.read_text(encoding="utf8"))
    return sorted(found)


def module_files(module: Path) -> tuple[Path, Path]:
    """Return where the code of a module may be, given its path without an ending."""
    return module.with_suffix(".py"), module / "__init__.py"


def digest_of_package(root: Path, code: Iterable[str]) -> str:
    """Return one hash of the code under `root`/src that pieces of Python import."""
    digests = [digest_of_code(path) for path in package_files(root, code)]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


@cache  # the packages' files are read for each page
def _imported(code: str) -> list[str]:
    """Name each module that is imported, its parents, and what could be a module in it."""
    if "import" not in code:  # parsing the cells of all pages takes a good part of a second
        return []
    names: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    parts = [name.split(".") for name in names]
    return [".".join(each[:end]) for each in parts for end in range(1, len(each) + 1)]
