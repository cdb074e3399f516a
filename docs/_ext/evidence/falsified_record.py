"""Which changed inputs break which claims: what `falsify.py` found, as the site shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from changed_inputs import CHANGES
from margins_record import load_record, margins_key
from page_source import Page

FILE = "docs/evidence/falsified.json"


def is_recorded(root: Path, page: Page) -> bool:
    """Whether the record of a page belongs to its code and what it imports of the package."""
    found = load_record(root, FILE).get(page.docname, {})
    return found.get("code") == margins_key(root, page)


def save_falsified(root: Path, page: Page, broken: Mapping[str, Sequence[str]]) -> None:
    """Put what breaks the claims of a page in the place of an older record."""
    record = load_record(root, FILE)
    record[page.docname] = {"code": margins_key(root, page), "claims": dict(broken)}
    (root / FILE).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def load_falsified(root: Path) -> dict[str, list[str]]:
    """Return the clauses of the changes that break each claim.

    A record older than its page still counts: a claim that could fail then can fail now,
    and a claim that is new is not in it.
    """
    clauses = {change.name: change.clause for change in CHANGES}
    return {
        name: [clauses[change] for change in changes if change in clauses]
        for page in load_record(root, FILE).values()
        for name, changes in page["claims"].items()
    }
