"""Run pages under changed inputs and record which claims each change breaks.

`nox -s falsify` runs every page whose record is missing or old once for each change of
`changed_inputs` that names it. A claim that no change breaks may be one that cannot fail.
The record, `docs/evidence/falsified.json`, is shown beside each claim; a test wants every
claim with a bound in it.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from changed_inputs import CHANGES, Change
from claims_lint import claims_made
from falsified_record import is_recorded, save_falsified
from page_rerun import Rerun, after, rerun
from page_source import Page, list_pages

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Apply the changes asked for; return 1 if some claim of these pages survives them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="page names; by default all without a record")
    options = parser.parse_args()
    survivors = 0
    for page in list_pages(ROOT):
        if page.docname in options.pages or not (options.pages or is_recorded(ROOT, page)):
            survivors += _falsify(page)
    print(f"{survivors} claims survive every change")
    return int(survivors > 0)


def _falsify(page: Page) -> int:
    changes = [change for change in CHANGES if page.docname in change.until]
    print(f"\n{page.docname}: {len(changes)} changes", flush=True)
    broken: dict[str, list[str]] = {made.name: [] for made in claims_made(page) if made.held}
    changed = [after(change.first_cell, _until(page, change)) for change in changes]
    for change, run in zip(changes, rerun(ROOT, changed, past_errors=True), strict=True):
        found = missed(run)
        print(f"  {change.name}: {len(found)} of {len(run.claims)} claims fail", flush=True)
        for name in found:
            broken[name].append(change.name)
    for name, names in broken.items():
        print(f"    {name}: {', '.join(names) or 'SURVIVES'}", flush=True)
    save_falsified(ROOT, page, broken)
    return sum(not names for names in broken.values())


def _until(page: Page, change: Change) -> Page:
    """Return the page up to the claim that a change is about."""
    last = change.until[page.docname]
    if not last:
        return page
    ends = [n for n, cell in enumerate(page.cells, 1) if f'"{last}"' in cell.source]
    if not ends:
        raise SystemExit(f"{change.name}: expected a claim {last!r} on {page.docname}")
    return dataclasses.replace(page, cells=page.cells[: ends[0]])


def missed(run: Rerun) -> list[str]:
    """Return the names of the claims that lie outside their bound."""
    return [claim.name for claim in run.claims if claim.room is not None and not claim.holds]


if __name__ == "__main__":
    raise SystemExit(main())
