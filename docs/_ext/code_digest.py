"""The hash of a Python file's code, which comments, docstrings and blank lines do not change."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest_of_code(path: Path) -> str:
    """Return the hash of the code in `path`, or "absent" where there is no such file."""
    if not path.exists():
        return "absent"
    return _digest_of_text(path.read_text(encoding="utf8"))


@cache  # a build asks for each of some twenty files more than a thousand times
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


def digest_of_package(root: Path) -> str:
    """Return one hash of the code of all modules under `root`/src."""
    digests = [digest_of_code(path) for path in sorted((root / "src").rglob("*.py"))]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
