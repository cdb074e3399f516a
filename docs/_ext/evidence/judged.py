"""Judge recorded values by the bounds of today: the least room, and the changes that break them."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from claims.claim import full_name, mean
from claims.gather import Claims, Room
from evidence.records import CHANGED_INPUTS, MARGINS, Record, age, load
from run.page import Page
from run.shell.measuring import Measured

CHANGES_FOLDER = "docs/evidence/changed_inputs"


class Change(Protocol):
    """A changed input: a function that runs before a page, and its effect in words."""

    name: str  # module and function
    clause: str
    until: Mapping[str, str]  # by page, the last name that is measured; empty for the whole page
    first_cell: str


def load_changes(root: Path) -> list[Change]:
    """Return the changed inputs that the checkout has."""
    folder = root / CHANGES_FOLDER
    if not folder.exists():
        return []
    name = folder.name
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    changes: list[Change] = module.CHANGES
    return changes


def means(measured: list[Measured]) -> dict[str, float]:
    """Return the mean over seeds of each measured value, by the name that prose uses."""
    return {full_name(each.name, each.case): mean(each.values) for each in measured}


def least_rooms(claims: Claims, pages: Mapping[str, Page]) -> dict[str, Room]:
    """Return the least room of each claim over all draws and stacks."""
    found: dict[str, dict[str, list[float]]] = {}
    ages: dict[str, set[str]] = {}
    for stack, page, record in _records(claims.root, MARGINS, pages):
        older = age(claims.root, page, stack, record)
        for name, rooms in _rooms(claims, record).items():
            found.setdefault(name, {})[stack] = rooms
            ages.setdefault(name, set()).update({older} - {""})
    return {name: _room(by_stack, sorted(ages[name])) for name, by_stack in found.items()}


def _records(
    root: Path, file: str, pages: Mapping[str, Page]
) -> Iterator[tuple[str, Page, Record]]:
    for stack, by_page in sorted(load(root, file).items()):
        for docname, record in by_page.items():
            if docname in pages:
                yield stack, pages[docname], record


def _rooms(claims: Claims, record: Record) -> dict[str, list[float]]:
    rooms: dict[str, list[float]] = {}
    for values in record.runs.values():
        for name, value in values.items():
            held = claims.limits_under(name, values)
            room = held.room(value) if held else None
            if room is not None:
                rooms.setdefault(name, []).append(room)
    return rooms


def _room(by_stack: dict[str, list[float]], ages: list[str]) -> Room:
    least = min(min(rooms) for rooms in by_stack.values())
    draws = min(len(rooms) for rooms in by_stack.values())
    stacks = list(by_stack)
    text = f"{least:.2g}".replace("-", "−") + f" over {draws} draws on {' and '.join(stacks)}"
    return Room(least, draws, stacks, ", ".join([text, *ages]))


def failing_changes(claims: Claims, pages: Mapping[str, Page]) -> dict[str, list[str]]:
    """Return, by claim, the clauses of the changes under which its value misses its bound.

    A record older than its page still counts: a claim that could fail then can fail now.
    """
    clauses: dict[str, Any] = {change.name: change.clause for change in load_changes(claims.root)}
    found: dict[str, list[str]] = {}
    for _, _, record in _records(claims.root, CHANGED_INPUTS, pages):
        for change, values in record.runs.items():
            for name in missed(claims, values):
                if change in clauses and clauses[change] not in found.setdefault(name, []):
                    found[name].append(clauses[change])
    return found


def missed(claims: Claims, values: Mapping[str, float]) -> list[str]:
    """Return the names of the claims that would miss their bounds with these values."""
    names = []
    for name, value in values.items():
        held = claims.limits_under(name, values)
        room = held.room(value) if held else None
        if room is not None and not (math.isfinite(value) and room >= 0):
            names.append(name)
    return names
