"""Check how pages claim and what their prose says; run as a script, exits with 1 on a fault.

Fails on a measured quantity typed into prose, on a claim that no prose shows, on a name used
twice, and on cells that readers copy but that use what only a claim's cell defines.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evidence import load_evidence
from measured_quantities import find_measured
from page_source import Page, is_pasted, list_pages

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


BOUNDS = ("at_least", "at_most", "equals")


@dataclass(frozen=True)
class Made:
    """A call of `claim` in a page, found without running it."""

    name: str
    path: str
    line: int
    held: bool  # against a bound


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
    made: dict[str, Made] = {}
    for page in pages:
        for claim in claims_made(page):
            where = f"{claim.path}:{claim.line}"
            if not claim.name:
                yield f"{where} expected the name of a claim as a literal string"
            elif claim.name in made:
                first = made[claim.name]
                yield f"{where} claim {claim.name!r} is made at {first.path}:{first.line} already"
            else:
                made[claim.name] = claim
        yield from _cell_faults(page)
    shown = {name for text in texts.values() for name in _ROLE.findall(text)}
    recorded = {claim.name for record in load_evidence(root) for claim in record.claims}
    for name in sorted(set(made) - shown):
        where = f"{made[name].path}:{made[name].line}"
        yield f"{where} no prose shows claim {name!r}: write {{claim}}`{name}`"
    for name in sorted(recorded - shown):
        yield f"docs/evidence: no prose shows the recorded claim {name!r}"
    for path, text in texts.items():
        for name in sorted(set(_ROLE.findall(text)) - set(made) - recorded):
            yield f"{path}: no page makes the claim {name!r} that it shows"
        prose = prose_of(text)
        for position, kind, words in find_measured(prose):
            line = text.count("\n", 0, position) + 1
            yield (
                f"{path}:{line} {words!r} reads like {kind} that was measured: write it through a "
                "claim, or mark it as {setting}`...` or {quoted}`...`"
            )


def claims_made(page: Page) -> Iterator[Made]:
    """Yield the claims that a page's cells make; an empty name stands for one not literal."""
    for cell in page.cells:
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim":
                first = node.args[0] if node.args else None
                literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
                name = str(first.value) if literal else ""  # type: ignore[union-attr]
                held = any(keyword.arg in BOUNDS for keyword in node.keywords)
                yield Made(name, page.path, cell.line + node.lineno, held)


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
