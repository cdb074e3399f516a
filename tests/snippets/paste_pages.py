"""Run the cells of the scripts that a site offers, in an interpreter that has only the package.

`nox -s snippets` makes that interpreter from the site's wheel. A script has the cells of its page,
but for those that only a build runs: those that measure and those that a page hides. What cells
print and draw must be what the page shows.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread
from nbformat import NotebookNode

from publish.downloads import FOLDER
from run.kernel import kernel_environment, prepare
from run.page import EXPECTED_ERROR, Page, is_pasted, list_pages
from run.schedule import PageResult, problems, run_pages
from run.store import PageStore

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("prompt.py")
# Times differ from run to run, so a cell that takes them is held to its words alone.
CLOCK, NUMBER = "perf_counter", re.compile(r"\d+(\.\d+)?")
# Of 1: drawn from values whose last bits differ, an edge of a line may take another shade.
SHADE = 0.01


def main() -> int:
    """Paste the pages asked for; return 1 if some cell gives something else than it shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", help="an interpreter that has the package and nothing else")
    parser.add_argument("site", type=Path, help="the folder of a built site")
    parser.add_argument("pages", nargs="*", help="page names; by default all")
    parser.add_argument("--today", type=int, help="only so many pages, others every day")
    options = parser.parse_args()
    names = [page.docname for page in list_pages(ROOT)]
    if unknown := set(options.pages) - set(names):
        parser.error(f"expected pages of {', '.join(names)}; got {', '.join(sorted(unknown))}")
    asked = options.pages or names
    if options.today:
        asked = of_the_day(asked, options.today, date.today())
    results = run_pages(ROOT, only=asked)
    if report := problems(results):
        raise SystemExit(report)
    alone = [result for result in results if result.page.alone]
    together = [result for result in results if not result.page.alone]
    failed = 0
    for group, workers in ((together, os.cpu_count() or 1), (alone, 1)):
        with ThreadPoolExecutor(workers) as pool:
            found = pool.map(
                lambda result: differences_of(options.python, options.site, result), group
            )
            for result, differences in zip(group, found, strict=True):
                verdict = "OTHER THAN SHOWN" if differences else "as shown"
                print(f"  {result.page.docname:<40} {verdict}", *differences, sep="\n", flush=True)
                failed += bool(differences)
    return int(failed > 0)


def of_the_day(names: Sequence[str], count: int, day: date) -> list[str]:
    """Return `count` of the names: the next ones every day, in turn."""
    first = day.toordinal() * count
    return [names[(first + offset) % len(names)] for offset in range(min(count, len(names)))]


def differences_of(python: str, site: Path, result: PageResult) -> list[str]:
    """Run one page's script, and describe each cell that gives something else than its page."""
    assert result.run, result.page.docname
    script = site / FOLDER / f"{result.page.docname}.py"
    sources = cells_of(script.read_text(encoding="utf8")) if script.exists() else []
    if sources != [cell.source for cell in result.page.cells if is_pasted(cell.tags)]:
        raise SystemExit(
            f"expected the cells of {result.page.path} in {script}, got others: the site is of "
            "other pages. Run `nox -s docs` before."
        )
    return differences(result.page, result.run.notebook, paste(python, result.page, sources))


def cells_of(script: str) -> list[str]:
    """Return the code cells of a script in the percent format; prose is all comments there."""
    cells = (cell.strip("\n") for cell in re.split(r"^# %%.*\n", script, flags=re.MULTILINE))
    return [cell for cell in cells if re.search(r"^[^#\n]", cell, re.MULTILINE)]


def paste(python: str, page: Page, sources: Sequence[str]) -> list[dict[str, Any]]:
    """Run the page's cells in an empty folder, under a user's ordinary variables."""
    shown = [cell for cell in page.cells if is_pasted(cell.tags)]
    cells = [
        {"source": source, "may_raise": EXPECTED_ERROR in cell.tags}
        for source, cell in zip(sources, shown, strict=True)
    ]
    variables = kernel_environment(ROOT, PageStore.of(ROOT).folder)
    prepare(variables)
    variables = {**variables, "MPLBACKEND": "agg"}
    del variables["PYTHONPATH"]
    with tempfile.TemporaryDirectory(prefix="pasted-") as folder:
        given, found = Path(folder, "cells.json"), Path(folder, "results.json")
        given.write_text(json.dumps(cells), encoding="utf8")
        empty = Path(folder, "empty")
        empty.mkdir()
        command = [python, str(DRIVER), str(given), str(found)]
        done = subprocess.run(command, cwd=empty, env=variables, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{page.path}: {python} failed\n{done.stdout}{done.stderr}")
        results: list[dict[str, Any]] = json.loads(found.read_text(encoding="utf8"))
    return results


def differences(page: Page, shown: NotebookNode, pasted: list[dict[str, Any]]) -> list[str]:
    """Describe each pasted cell whose output differs from the one on the page."""
    visible = [
        (cell, executed.outputs)
        for cell, executed in zip(page.cells, shown.cells, strict=True)
        if is_pasted(cell.tags)
    ]
    found = []
    # The last one pasted may be one that raised, with others behind it.
    for (cell, outputs), got in zip(visible, pasted, strict=False):
        where = f"{page.path}:{cell.line}"
        if what := _difference(_as_pasted(outputs), got, timed=CLOCK in cell.source):
            head = cell.source.strip().splitlines()[0]
            found.append(f"{where} gives something else when pasted: {what}\n  >>> {head}")
    return found


def _as_pasted(outputs: list[NotebookNode]) -> dict[str, Any]:
    data = [output.data for output in outputs if "data" in output]
    results = [output.data for output in outputs if output.output_type == "execute_result"]
    streams = [output for output in outputs if output.output_type == "stream"]
    errors = [output for output in outputs if output.output_type == "error"]
    return {
        "text": "".join(
            [out.text for out in streams if out.name == "stdout"]
            + [f"{result['text/plain']}\n" for result in results]
        ),
        "stderr": "",  # a page that warns fails
        "error": "".join(f"{error.ename}: {error.evalue}" for error in errors),
        "figures": [each["image/png"] for each in data if "image/png" in each],
    }


def _difference(shown: dict[str, Any], got: dict[str, Any], *, timed: bool) -> str:
    for part in ("error", "stderr", "text"):
        expected, came = shown[part], got[part]
        if timed:
            expected, came = (NUMBER.sub("#", words) for words in (expected, came))
        if expected != came:
            return f"{part} is\n{_lines(came)}\n  and on the page\n{_lines(expected)}"
    if len(shown["figures"]) != len(got["figures"]):
        return f"{len(got['figures'])} figures, and on the page {len(shown['figures'])}"
    if not timed:
        for number, (expected, came) in enumerate(
            zip(shown["figures"], got["figures"], strict=True), 1
        ):
            if what := _other_picture(_pixels(expected), _pixels(came)):
                return f"figure {number} {what}"
    return ""


def _lines(text: str) -> str:
    return "\n".join(f"    {line}" for line in (text.splitlines() or ["(nothing)"])[-12:])


def _pixels(png: str) -> np.ndarray:
    return imread(io.BytesIO(base64.b64decode(png)), format="png")


def _other_picture(expected: np.ndarray, came: np.ndarray) -> str:
    if expected.shape != came.shape:
        return f"has {came.shape} pixels, and on the page {expected.shape}"
    other = float((abs(expected - came) > SHADE).any(axis=-1).mean())
    return f"differs in {other:.2%} of its pixels" if other else ""


if __name__ == "__main__":
    raise SystemExit(main())
