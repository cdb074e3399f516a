"""Run cells as a reader pastes them, in order, in a process that has nothing of this site.

    python prompt.py CELLS.json RESULTS.json

The first file is a list of sources. The second gets what each gave: text, warnings, the error
that it ended with, and figures as PNG. After an error that its cell may not raise, nothing more
is run.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import linecache
import sys
import types
import warnings
from pathlib import Path
from typing import Any


def main(cells: Path, results: Path) -> None:
    """Run all cells in one namespace, which is that of `__main__` as at a prompt."""
    prompt = types.ModuleType("__main__")
    sys.modules["__main__"] = prompt
    warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
    found = []
    for number, cell in enumerate(json.loads(cells.read_text(encoding="utf8")), 1):
        found.append(_paste(cell["source"], f"<cell {number}>", vars(prompt)))
        if found[-1]["error"] and not cell["may_raise"]:
            break
    results.write_text(json.dumps(found), encoding="utf8")


def _paste(source: str, name: str, namespace: dict[str, Any]) -> dict[str, Any]:
    # As IPython does it: what a function's source is, `inspect` and tracebacks ask here.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    text, stderr, error = io.StringIO(), io.StringIO(), ""
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(stderr):
        try:
            for part in _parts(source, name):
                exec(part, namespace)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
    return {
        "text": text.getvalue(),
        "stderr": stderr.getvalue(),
        "error": error,
        "figures": _figures(),
    }


def _parts(source: str, name: str) -> list[types.CodeType]:
    """Compile a cell; the value of an expression at its end is displayed."""
    body = ast.parse(source, name).body
    last = [body.pop()] if body and isinstance(body[-1], ast.Expr) else []
    return [
        compile(ast.Module(body, []), name, "exec"),
        compile(ast.Interactive(last), name, "single"),
    ]


def _figures() -> list[str]:
    """Draw the figures that are open, at twice the pixels as pages do, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    drawn = []
    for number in pyplot.get_fignums():
        figure, png = pyplot.figure(number), io.BytesIO()
        figure.savefig(png, format="png", dpi=2 * figure.dpi, bbox_inches="tight")
        drawn.append(base64.b64encode(png.getvalue()).decode())
    pyplot.close("all")
    return drawn


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
