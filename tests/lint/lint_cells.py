"""Check the code cells of pages; run as a script, exits with 1 on a fault.

Ruff reads them as notebooks. Lines that stand in more than two pages belong in the package.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from run.page import MEASURE, Cell, Page, is_pasted, list_pages

ROOT = Path(__file__).parents[2]
# What fits beside the contents on a laptop: longer lines would hide their end. Cells whose code no
# reader sees are as wide as the project's other code.
WIDTH = ["--line-length", "78"]
# Asserts in a cell are no pytest tests, and each cell runs once, with what it defines: rules
# about longer-lived code would only make it longer to read.
NOT_FOR_CELLS = ["--extend-ignore", "B007,B008,B023,B905,C408,PT,RUF007"]
REPEATED_LINES = 5


def main() -> int:
    """Run all checks, and return the worst status."""
    pages = list_pages(ROOT)
    repeated = repeated_code(pages)
    print(*repeated, sep="\n\n", end="\n" * bool(repeated))
    return max(ruff_status(pages), int(bool(repeated)))


def repeated_code(pages: Sequence[Page]) -> list[str]:
    """Name each run of lines that a reader meets on more than two pages; imports do not count."""
    where = defaultdict(set)
    for page in pages:
        for cell in page.cells:
            if is_pasted(cell.tags):
                for run in _runs(cell.source):
                    where[run].add(page.path)
    return [
        f"{', '.join(sorted(paths))}: expected code of more than two pages to live in the "
        f"package; these lines stand in all of them. Move them to `src`.\n{run}"
        for run, paths in where.items()
        if len(paths) > 2
    ]


def _runs(source: str) -> list[str]:
    stripped = (line.strip() for line in source.splitlines())
    lines = [line for line in stripped if line and not line.startswith(("import ", "from ", "#"))]
    ends = range(REPEATED_LINES, len(lines) + 1)
    return ["\n".join(lines[end - REPEATED_LINES : end]) for end in ends]


def ruff_status(pages: Sequence[Page]) -> int:
    """Run ruff over the pages as notebooks, which it knows to check cell by cell."""
    check = ["ruff", "check", *NOT_FOR_CELLS]
    layout = ["ruff", "format", "--diff"]
    return max(
        _run_ruff(pages, lambda cell: True, check),
        _run_ruff(pages, lambda cell: MEASURE not in cell.tags, [*layout, *WIDTH]),
        _run_ruff(pages, lambda cell: MEASURE in cell.tags, layout),
    )


def _run_ruff(pages: Sequence[Page], wanted: Callable[[Cell], bool], command: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        for page in pages:
            path = Path(folder, page.docname).with_suffix(".ipynb")
            path.parent.mkdir(parents=True, exist_ok=True)
            # Cells numbered as in a failing build's report: code cells only, from 1.
            cells = [new_code_cell(cell.source if wanted(cell) else "") for cell in page.cells]
            nbformat.write(new_notebook(cells=cells), path)
        config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "."]
        return subprocess.run([*command, *config], cwd=folder).returncode


if __name__ == "__main__":
    raise SystemExit(main())
