"""How much room the bounds of claims have: pages run again with shifted seeds, on each stack."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from code_digest import digest_of_package
from page_key import page_key
from page_source import Page

FILE = "docs/evidence/margins.json"


@dataclass(frozen=True)
class Room:
    """The least room of a claim's bound over all draws; negative where one was outside it."""

    least: float
    draws: int
    stacks: list[str]
    text: str


def margins_key(root: Path, page: Page) -> str:
    """Return what a page's margins belong to: its code and what it imports of the package."""
    return page_key(page, digest_of_package(root, (cell.source for cell in page.cells)))


def load_record(root: Path, file: str = FILE) -> dict[str, Any]:
    """Return a record as it is stored; of margins by stack, then page, one room a draw."""
    path = root / file
    return json.loads(path.read_text()) if path.exists() else {}


def load_margins(root: Path, pages: Sequence[Page]) -> dict[str, Room]:
    """Return the least room by claim; none where its code has changed since."""
    record = load_record(root)
    rooms: dict[str, dict[str, list[float]]] = {}
    for page in pages:
        key = margins_key(root, page)
        for stack, by_page in sorted(record.items()):
            found = by_page.get(page.docname, {})
            if found.get("code") == key:
                for name, values in found["rooms"].items():
                    rooms.setdefault(name, {})[stack] = values
    return {name: _room(by_stack) for name, by_stack in rooms.items()}


def save_margins(root: Path, stack: str, page: Page, draws: Sequence[dict[str, float]]) -> None:
    """Put a page's rooms, one mapping from claim to room a draw, in the place of older ones."""
    record = load_record(root)
    names = sorted({name for draw in draws for name in draw})
    record.setdefault(stack, {})[page.docname] = {
        "code": margins_key(root, page),
        "rooms": {n: [float(f"{d[n]:.4g}") for d in draws if n in d] for n in names},
    }
    (root / FILE).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def _room(by_stack: dict[str, list[float]]) -> Room:
    least = min(min(values) for values in by_stack.values())
    draws = min(len(values) for values in by_stack.values())
    text = f"{least:.2g}".replace("-", "−") + f" over {draws} draws on {' and '.join(by_stack)}"
    return Room(least, draws, list(by_stack), text)
