"""Check what pages measure and say; run as a script, exits with 1 on a fault.

A fault is a measured quantity typed into prose, an entry that no prose shows, a measured name
without an entry, a bad table, and a cell that readers copy but that uses what only a hidden cell
defines.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claims.table import closest, read_tables
from measured_quantities import find_measured
from run.page import Page, is_pasted, list_pages

ROOT = Path(__file__).parents[2]
_ROLE = re.compile(r"\{claim\}`(?:[^`<]*<)?([^`<>]+)>?`")
# In this order: fences first, so that nothing inside them counts as a role or as prose.
_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.M | re.S
)
_NOT_PROSE = [
    re.compile(r"\{[\w:-]+\}`[^`]*`"),  # roles: claims, settings, links, citations
    re.compile(r"\$\$.*?\$\$|\$[^$\n]+(?:\n[^$\n]+)?\$", re.S),
    re.compile(r"(`+)(?!`).*?\1", re.S),
    re.compile(r"\]\([^)]*\)"),  # where links lead
    re.compile(r"^\([\w-]+\)=$", re.M),
]


@dataclass(frozen=True)
class Call:
    """A call of `measure` in a page, found without running it."""

    name: str  # empty where it is not literal
    path: str
    line: int
    family: bool  # whose cases may be measured in several cells


def main() -> int:
    """Print every fault with its place; return 1 if there is one."""
    faults = sorted(lint(ROOT))
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults in claims and prose" if faults else "claims and prose agree")
    return int(bool(faults))


def lint(root: Path) -> Iterator[str]:
    """Yield the faults of the site at `root`, each with file, line and what to do."""
    pages = list_pages(root)
    texts = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf8")
        for path in sorted((root / "docs").rglob("*.md"))
        if not any(part.startswith(("_", ".")) for part in path.relative_to(root / "docs").parts)
    }
    entries, problems = read_tables(root)
    yield from problems
    measured: dict[str, Call] = {}
    for page in pages:
        for call in calls_of_measure(page):
            where = f"{call.path}:{call.line}"
            if not call.name:
                yield f"{where} expected the name of what is measured as a literal string"
            elif call.name in measured and not call.family:
                first = measured[call.name]
                yield f"{where} {call.name!r} is measured at {first.path}:{first.line} already"
            elif call.name not in entries:
                near = closest(call.name, entries)
                yield f"{where} measures {call.name!r}, and no table has an entry for it{near}"
            measured.setdefault(call.name, call)
        yield from _cell_faults(page)
    shown = {name.partition("[")[0] for text in texts.values() for name in _ROLE.findall(text)}
    for entry in entries.values():
        if entry.name not in shown:
            yield f"{entry.where} no prose shows {entry.name!r}: write {{claim}}`{entry.name}`"
    for path, text in texts.items():
        for name in sorted({name.partition("[")[0] for name in _ROLE.findall(text)}):
            if name not in entries:
                yield f"{path}: shows {name!r}, and no table has it{closest(name, entries)}"
        prose = prose_of(text)
        for position, kind, words in find_measured(prose):
            line = text.count("\n", 0, position) + 1
            yield (
                f"{path}:{line} {words!r} reads like {kind} that was measured: write it through a "
                "claim, or mark it as {setting}`...` or {quoted}`...`"
            )


def calls_of_measure(page: Page) -> Iterator[Call]:
    """Yield the calls of `measure` in a page's cells."""
    for cell in page.cells:
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "measure":
                first = node.args[0] if node.args else None
                literal = first.value if isinstance(first, ast.Constant) else ""
                name = literal if isinstance(literal, str) else ""
                family = len(node.args) > 1 and isinstance(node.args[1], ast.Dict | ast.DictComp)
                yield Call(name, page.path, cell.line + node.lineno, family)


def prose_of(text: str) -> str:
    """Blank out everything in a page's source that is not prose, and keep all positions.

    Captions and alternative texts of figures are prose.
    """
    text = _FENCE.sub(_captions_only, text)
    for pattern in _NOT_PROSE:
        text = pattern.sub(lambda match: _blank(match[0]), text)
    return text


def _captions_only(match: re.Match[str]) -> str:
    if not match["info"].startswith("{code-cell}"):
        return _blank(match[0])
    head = re.match(r"---\n.*?\n---\n", match["body"], re.S)
    kept = head[0] if head else ""
    before = match.start("body") - match.start()
    whole = match[0]
    return _blank(whole[:before]) + kept + _blank(whole[before + len(kept) :])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _cell_faults(page: Page) -> Iterator[str]:
    hidden: dict[str, int] = {}  # name: the line of the hidden cell that defines it
    visible: set[str] = set()
    for cell in page.cells:
        tree = ast.parse(cell.source)
        assigned = _assigned(tree)
        if not is_pasted(cell.tags):
            hidden |= dict.fromkeys(assigned - visible, cell.line)
            continue
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for name in sorted((used & set(hidden)) - visible - assigned):
            yield (
                f"{page.path}:{cell.line} a cell that readers copy uses {name!r}, which only a "
                f"hidden cell defines (line {hidden[name]})"
            )
        visible |= assigned


def _assigned(tree: ast.AST) -> set[str]:
    names = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return names


if __name__ == "__main__":
    raise SystemExit(main())
