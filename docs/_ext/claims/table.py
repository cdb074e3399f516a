"""Read what pages say of the numbers they measure: `page.claims.toml` beside each page."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENDING = ".claims.toml"
BOUNDS = ("at_least", "at_most", "equals", "within")
KEYS = ("says", *BOUNDS, "show", "machine", "reported")
REPORTED = ("cite", "text", "note")
_QUANTITY = re.compile(r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)(?:\s+(\S.*))?")
_SHOW = re.compile(r",?\.\d+([efg%]|pp)")


class TableError(ValueError):
    """A table of claims says something that cannot be held; the message says what and where."""


@dataclass(frozen=True)
class Entry:
    """What a page says of one measured name, or of a family of cases.

    `bounds` maps each kind of bound to what the table has: a number, a quantity in words, a
    reference to another name, or a mapping from cases to any of these.
    """

    name: str
    says: str
    page: str
    where: str  # file and line
    bounds: Mapping[str, Any] = field(default_factory=dict)
    show: str = ".3g"
    machine: bool = False
    reported: Mapping[str, Any] = field(default_factory=dict)  # for all cases, or by case


@dataclass(frozen=True)
class Bound:
    """One end of a bound: a distance `number`, in `unit`, from another value or from zero."""

    number: float
    unit: str = ""
    of: str = ""


def read_tables(root: Path) -> tuple[dict[str, Entry], list[str]]:
    """Return the entries of all tables by name, and what is wrong with the tables."""
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    for path in sorted((root / "docs").rglob(f"*{ENDING}")):
        relative = path.relative_to(root)
        if any(part.startswith(("_", ".")) for part in relative.parts[1:]):
            continue
        for entry in _read(path, relative, problems):
            if entry.name in entries:
                problems.append(
                    f"{entry.where}: expected a name of its own, but {entry.name!r} stands at "
                    f"{entries[entry.name].where} too: rename one of them"
                )
            entries.setdefault(entry.name, entry)
    return entries, problems


def _read(path: Path, relative: Path, problems: list[str]) -> Iterator[Entry]:
    text = path.read_text(encoding="utf8")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{relative.as_posix()}: expected a table in TOML: {error}")
        return
    page = relative.relative_to("docs").as_posix().removesuffix(ENDING)
    for name, given in table.items():
        heading = re.search(rf'^\[\s*"?{re.escape(name)}"?\s*\]', text, re.MULTILINE)
        line = text.count("\n", 0, heading.start()) + 1 if heading else 1
        where = f"{relative.as_posix()}:{line}"
        try:
            yield _entry(name, given, page, where)
        except TableError as error:
            problems.append(f"{where}: [{name}] {error}")


def _entry(name: str, given: Any, page: str, where: str) -> Entry:
    if not isinstance(given, dict):
        raise TableError(f"expected a heading of its own, `[{name}]`, with `says` below it")
    for key in given:
        if key not in KEYS:
            raise TableError(f"expected one of {', '.join(KEYS)}; got {key!r}{closest(key, KEYS)}")
    if not isinstance(given.get("says"), str) or not given["says"].strip():
        raise TableError("expected `says`, a sentence that makes sense without its page")
    bounds = {kind: given[kind] for kind in BOUNDS if kind in given}
    if ("equals" in bounds) != ("within" in bounds):
        raise TableError("expected `equals` and `within` together, got one of them")
    if "equals" in bounds and len(bounds) > 2:
        raise TableError("expected `equals` and `within`, or `at_least` and `at_most`; got both")
    for kind, raw in bounds.items():
        for _ in _all_bounds(raw, kind):
            pass  # raises where one cannot be read
    show, machine = given.get("show", ".3g"), given.get("machine", False)
    if not isinstance(show, str) or not _SHOW.fullmatch(show):
        raise TableError(
            f"expected `show` as a format such as '.1f', '.0%' or '.1pp'; got {show!r}"
        )
    if not isinstance(machine, bool):
        raise TableError(f"expected `machine` to be true or false, got {machine!r}")
    reported = given.get("reported", {})
    _check_reported(reported)
    return Entry(name, given["says"], page, where, bounds, show, machine, reported)


def _check_reported(reported: Any) -> None:
    if not isinstance(reported, dict):
        raise TableError(f"expected `reported` as a table, got {reported!r}")
    for each in reported.values() if _is_by_case(reported) else [reported] if reported else []:
        if not {"cite", "text"} <= set(each):
            raise TableError(
                "expected `reported` with `cite`, a key of the bibliography, and `text`"
            )
        for key in each:
            if key not in REPORTED:
                raise TableError(
                    f"expected in `reported` one of {', '.join(REPORTED)}; got {key!r}"
                )


def _is_by_case(reported: Mapping[str, Any]) -> bool:
    return bool(reported) and all(isinstance(each, dict) for each in reported.values())


def reported_for(entry: Entry, case: str) -> dict[str, str]:
    """Return what others report of a case, empty if nothing is quoted."""
    found = entry.reported.get(case, {}) if _is_by_case(entry.reported) else entry.reported
    return dict(found)


def _all_bounds(raw: Any, kind: str) -> Iterator[Bound]:
    cases = raw.values() if isinstance(raw, dict) and "of" not in raw else [raw]
    for each in cases:
        yield _bound(each, kind)


def bound_for(entry: Entry, kind: str, case: str) -> Bound | None:
    """Return what a case of an entry is held to, or None where it is held to nothing."""
    raw = entry.bounds.get(kind)
    if isinstance(raw, dict) and "of" not in raw:
        raw = raw.get(case)
    return None if raw is None else _bound(raw, kind)


def cases_named(entry: Entry) -> set[str]:
    """Return the cases that the bounds of an entry name."""
    tables = [raw for raw in entry.bounds.values() if isinstance(raw, dict) and "of" not in raw]
    return {case for table in tables for case in table}


def _bound(raw: Any, kind: str) -> Bound:
    if isinstance(raw, dict):
        if not isinstance(raw.get("of"), str) or not set(raw) <= {"of", "plus"}:
            raise TableError(
                f"expected {kind} = {{ of = 'name', plus = distance }}, or a bound for each case; "
                f"got {raw!r}"
            )
        distance = _bound(raw.get("plus", 0), kind)
        if "plus" not in raw:
            return Bound(0.0, of=raw["of"])
        return Bound(distance.number, distance.unit, raw["of"])
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return Bound(float(raw))
    found = _QUANTITY.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if not found:
        raise TableError(f"expected {kind} as a number or a quantity such as '5 mV'; got {raw!r}")
    return Bound(float(found[1]), found[2] or "")


def closest(name: str, names: Iterable[str]) -> str:
    """Return words that name the closest of `names`, or nothing where none is close."""
    found = difflib.get_close_matches(name, list(names), 1)
    return f"; the closest is {found[0]!r}" if found else ""
