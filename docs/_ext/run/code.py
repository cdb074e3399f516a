"""Which files of the project a piece of Python uses, and the hash of a file's code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest_of_code(path: Path) -> str:
    """Return the hash of a file's code, or "absent" if there is no such file.

    Comments, docstrings and blank lines do not change it.
    """
    return _digest_of_text(path.read_text(encoding="utf8")) if path.exists() else "absent"


@cache  # a build asks for the files of the package for each page and each record
def _digest_of_text(text: str) -> str:
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            docstrings |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = [
        line.rstrip()
        for number, line in enumerate(text.splitlines(), 1)
        if number not in docstrings and line.strip() and not line.lstrip().startswith("#")
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def used_files(folders: Iterable[Path], sources: Iterable[str]) -> list[Path]:
    """Return the files in `folders` that pieces of Python use, directly or through others.

    `ts.Trainer` after `import package as ts` means the module from which the package's
    `__init__` imports `Trainer`, and what that module uses. A use that cannot be resolved, such as
    `getattr(ts, name)`, means every module of the package.
    """
    places = [place for folder in folders for place in _modules(folder)]
    modules = dict(places)
    found: set[Path] = set()
    waiting = [(source, "") for source in sources]
    while waiting:
        source, module = waiting.pop()
        for name in _resolved(source, module, modules):
            if modules[name] not in found:
                found.add(modules[name])
                waiting.append((modules[name].read_text(encoding="utf8"), name))
    return sorted(found)


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _resolved(source: str, module: str, modules: dict[str, Path]) -> set[str]:
    """Name the modules that a source uses; one that is itself a module may import relatively."""
    names: set[str] = set()
    for package, used in _uses(source, module, frozenset(modules)):
        if used is None:
            names |= {each for each in modules if each == package or _is_below(each, package)}
        else:
            names.add(_home(package, used, modules))
    return names


def _is_below(module: str, package: str) -> bool:
    return module.startswith(f"{package}.")


def _home(package: str, used: str, modules: dict[str, Path]) -> str:
    """Name the module that defines what is used of a package, or the package itself."""
    if f"{package}.{used}" in modules:
        return f"{package}.{used}"
    if modules[package].name != "__init__.py":
        return package
    for node in ast.walk(_tree(modules[package].read_text(encoding="utf8"))):
        if isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            if origin in modules and used in {alias.asname or alias.name for alias in node.names}:
                return origin
    return package


@cache  # the same files are read for each page
def _uses(source: str, module: str, modules: frozenset[str]) -> set[tuple[str, str | None]]:
    """Return pairs of a module and a name used of it; None stands for all that there is."""
    packages = {name.partition(".")[0] for name in modules}
    try:
        tree = _tree(source)
    except SyntaxError:  # a magic of IPython
        return {(package, None) for package in packages}
    uses: set[tuple[str, str | None]] = set()
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                if alias.name in modules:
                    aliases[alias.asname or top] = alias.name if alias.asname else top
                    if alias.name != top:
                        uses.add((top, alias.name.removeprefix(f"{top}.")))
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, module)
            if origin in modules:
                names = [alias.name for alias in node.names]
                uses |= {(origin, None if name == "*" else name) for name in names}
    attributes = {
        id(node.value): node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in aliases:
            uses.add((aliases[node.id], attributes.get(id(node))))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # As in `import_module("package.module")`.
            named = node.value.partition(".")[0]
            uses |= {(named, None)} if named in packages and module == "" else set()
    return uses


def _origin(node: ast.ImportFrom, module: str) -> str:
    """Name the module that an import is from, seen from a module of the package."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")[: -node.level] if module else []
    return ".".join([*parts, *([node.module] if node.module else [])])


@cache
def _tree(source: str) -> ast.Module:
    return ast.parse(source)
