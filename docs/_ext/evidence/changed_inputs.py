"""Run pages under changed inputs and record what they measure.

`nox -s falsify` runs every page whose record is missing or old once for each change of
`docs/evidence/changed_inputs` that names it. A claim that holds under every change may be one
that cannot fail. The record is shown beside each claim; a test wants every claim with a bound in
it.
"""

from __future__ import annotations

import argparse
import dataclasses
import platform
from pathlib import Path

from claims.gather import Claims
from evidence.judged import Change, load_changes, means, missed
from evidence.records import CHANGED_INPUTS, code_of, load, save
from run.page import MEASURE, Page, list_pages
from run.rerun import after, rerun
from run.schedule import run_pages

ROOT = Path(__file__).parents[3]


def main() -> int:
    """Apply the changes asked for; return 1 if some claim of these pages holds under all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="page names; by default all without a record")
    options = parser.parse_args()
    stack = ".".join(platform.python_version_tuple()[:2])
    records = load(ROOT, CHANGED_INPUTS).values()
    claims = Claims.of_pages(ROOT, run_pages(ROOT))
    claims.hold()
    survivors = 0
    for page in list_pages(ROOT):
        known = [record[page.docname].code for record in records if page.docname in record]
        if page.docname in options.pages or not (options.pages or code_of(ROOT, page) in known):
            survivors += _run_changed(page, claims, stack)
    print(f"{survivors} claims hold under every change")
    return int(survivors > 0)


def _run_changed(page: Page, claims: Claims, stack: str) -> int:
    changes = [change for change in load_changes(ROOT) if page.docname in change.until]
    print(f"\n{page.docname}: {len(changes)} changes", flush=True)
    changed = [after(change.first_cell, _until(page, change)) for change in changes]
    found = rerun(ROOT, changed, past_errors=True, path=[ROOT / "docs" / "evidence"])
    runs = {change.name: means(run.measured) for change, run in zip(changes, found, strict=True)}
    broken = {name for values in runs.values() for name in missed(claims, values)}
    for name, values in runs.items():
        print(f"  {name}: {len(missed(claims, values))} of {len(values)} claims fail", flush=True)
    here = [each for each in claims.claims.values() if each.page == page.docname and each.bound]
    survivors = [each.name for each in here if each.name not in broken | set(claims.recorded)]
    for name in survivors:
        print(f"    {name} holds under every change", flush=True)
    save(ROOT, CHANGED_INPUTS, stack, page, runs)
    return len(survivors)


def _until(page: Page, change: Change) -> Page:
    """Return the page up to the cell that a change is about."""
    last = change.until[page.docname]
    if not last:
        return page
    words = [f'"{word}"' for word in last.removesuffix("]").split("[")]  # a name, and its case
    ends = [
        number
        for number, cell in enumerate(page.cells, 1)
        if MEASURE in cell.tags and all(word in cell.source for word in words)
    ]
    if not ends:
        raise SystemExit(f"{change.name}: expected {last!r} to be measured on {page.docname}")
    return dataclasses.replace(page, cells=page.cells[: ends[0]])


if __name__ == "__main__":
    raise SystemExit(main())
