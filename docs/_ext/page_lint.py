"""Check the code cells of pages with ruff; run as a script, exits with ruff's status."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from page_source import list_pages

ROOT = Path(__file__).parents[2]
# What fits beside the contents on a laptop: longer lines would hide their end.
WIDTH = ["--line-length", "78"]
# Asserts in a cell are no pytest tests, and each cell runs once, with what it defines: rules
# about longer-lived code would only make it longer to read.
NOT_FOR_CELLS = ["--extend-ignore", "B007,B008,B023,B905,C408,PT,RUF007"]


def main() -> int:
    """Run ruff over the pages as notebooks, which it knows to check cell by cell."""
    with tempfile.TemporaryDirectory() as folder:
        for page in list_pages(ROOT):
            path = Path(folder, page.docname).with_suffix(".ipynb")
            path.parent.mkdir(parents=True, exist_ok=True)
            # Cells numbered as in a failing build's report: code cells only, from 1.
            cells = [new_code_cell(cell.source) for cell in page.cells]
            nbformat.write(new_notebook(cells=cells), path)
        config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "."]
        commands = (
            ["ruff", "check", *NOT_FOR_CELLS, *config],
            ["ruff", "format", "--diff", *WIDTH, *config],
        )
        return max([subprocess.run(command, cwd=folder).returncode for command in commands])


if __name__ == "__main__":
    raise SystemExit(main())
