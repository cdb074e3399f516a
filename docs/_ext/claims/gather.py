"""All claims of a build: what pages and records measured, held to what the tables say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from claims.claim import Claim, Limits, full_name, limits, make_claim, mean
from claims.table import ENDING, Entry, TableError, cases_named, closest, read_tables
from run.build import Build, build_of
from run.page import Page
from run.schedule import PageResult
from run.shell.measuring import Measured
from run.store import measured_by

_RATIO = (
    "expected no bound on what depends on the machine; hold a ratio that is measured in turns, on "
    "a page with a cell tagged `alone`"
)


@dataclass(frozen=True)
class Recorded:
    """Where a recorded value comes from; `stale` says that its code has changed since."""

    when: str
    device: str
    commit: str
    stale: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Room:
    """The least room of a claim in runs with other seeds; negative where one was outside."""

    least: float
    draws: int
    stacks: list[str]
    text: str


@dataclass
class Claims:
    """The claims of one build by name, in the order of their pages.

    Rooms above fill in what they know of a claim: `recorded`, `rooms` and `fails_when`, by name.
    """

    root: Path
    entries: dict[str, Entry]
    problems: list[str]
    claims: dict[str, Claim] = field(default_factory=dict)
    recorded: dict[str, Recorded] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    fails_when: dict[str, list[str]] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)  # by page: the machine that ran it
    _found: list[tuple[str, str, Measured]] = field(default_factory=list)  # page and place
    _unfinished: set[str] = field(default_factory=set)  # pages whose run failed

    @classmethod
    def of_pages(cls, root: Path, results: Iterable[PageResult]) -> Claims:
        """Read the tables, and take what pages measured."""
        claims = cls(root, *read_tables(root))
        for result in results:
            if result.run is None or result.problems:
                claims._unfinished.add(result.page.docname)
                continue
            claims.devices[result.page.docname] = result.run.provenance.device
            code = zip(result.page.cells, result.run.notebook.cells, strict=True)
            lines = (root / result.page.path).read_text(encoding="utf8").splitlines()
            for cell, executed in code:
                for value in measured_by(executed):
                    line = _line_of(value.name, lines, cell.line)
                    place = f"{result.page.path}:{line}"
                    claims.take(result.page.docname, place, [value])
            claims.problems += _machine_problems(result.page, claims.entries.values())
        return claims

    def take(
        self, page: str, place: str, measured: Iterable[Measured], came: Recorded | None = None
    ) -> None:
        """Take values that were measured at a place, of a page or a record, for a page."""
        for value in measured:
            self._found.append((page, place, value))
            if came:
                self.recorded[full_name(value.name, value.case)] = came

    def hold(self) -> None:
        """Join values and entries, and add to `problems` whatever does not fit or hold."""
        values = {full_name(m.name, m.case): mean(m.values) for _, _, m in self._found}
        for page, place, value in self._found:
            entry = self.entries.get(value.name)
            name = full_name(value.name, value.case)
            if entry is None or entry.page != page:
                self.problems.append(self._without_entry(page, place, value.name, entry))
            elif name in self.claims:
                self.problems.append(f"{place}: measures {name!r} a second time: rename one")
            else:
                try:
                    held = limits(entry, value.case, value.unit, values.get)
                except TableError as error:
                    self.problems.append(f"{entry.where}: [{entry.name}] {error}")
                    held = Limits()
                if entry.machine and held.text and value.unit:
                    self.problems.append(f"{entry.where}: [{entry.name}] {_RATIO}")
                self.claims[name] = make_claim(entry, value, held)
        self.problems += self._entries_without_value()
        self.problems += self.missed()

    def shown(self, name: str) -> str:
        """Return what prose says of a claim: its text, its machine, and that it is recorded."""
        claim, record = self.claims[name], self.recorded.get(name)
        notes = []
        if record:
            notes.append("recorded" + ", the code has changed since" * record.stale)
        if claim.machine:
            notes.append(f"on {record.device if record else self.devices[claim.page]}")
        return f"{claim.text} ({'; '.join(notes)})" if notes else claim.text

    def limits_under(self, name: str, values: Mapping[str, float]) -> Limits | None:
        """Return what a claim would be held to if other names had these values."""
        claim = self.claims.get(name)
        if claim is None:
            return None

        def value_of(other: str) -> float | None:
            found = self.claims.get(other)
            return values.get(other, found.value if found else None)

        return limits(self.entries[claim.entry], claim.case, claim.unit, value_of)

    def _without_entry(self, page: str, place: str, name: str, entry: Entry | None) -> str:
        table = f"docs/{page}{ENDING}"
        if entry:
            return f"{place}: measures {name!r}, whose entry belongs to {entry.page}: rename one"
        here = [each.name for each in self.entries.values() if each.page == page]
        return (
            f"{place}: measures {name!r}, and {table} has no entry of that name"
            f"{closest(name, here)}. Write [{name}] with `says` there, or mend the name"
        )

    def _entries_without_value(self) -> list[str]:
        found: dict[str, set[str]] = {}
        for _, _, value in self._found:
            found.setdefault(value.name, set()).add(value.case)
        problems = []
        for entry in self.entries.values():
            if entry.page in self._unfinished:
                continue
            if entry.name not in found:
                here = [m.name for page, _, m in self._found if page == entry.page]
                problems.append(
                    f"{entry.where}: [{entry.name}] has no value: neither a cell of "
                    f"docs/{entry.page}.md nor a record measures it{closest(entry.name, here)}"
                )
                continue
            cases = found[entry.name]
            problems += [
                f"{entry.where}: [{entry.name}] holds the case {case!r}, which is not measured"
                f"{closest(case, cases)}"
                for case in sorted(cases_named(entry) - cases)
            ]
        return problems

    def missed(self) -> list[str]:
        """Return a sentence for each claim that does not hold: what was expected, and what came."""
        return [
            _miss(claim, self.entries[claim.entry])
            for claim in self.claims.values()
            if not claim.holds
        ]


def _miss(claim: Claim, entry: Entry) -> str:
    by_seed = f", by seed {[float(f'{value:.4g}') for value in claim.values]}"
    got = f"{claim.value:.6g} {claim.unit}".rstrip() + by_seed * (claim.spread is not None)
    return (
        f"docs/{claim.page}.md: claim {claim.name!r}: expected {claim.bound or 'a finite value'}, "
        f"got {got}: {claim.statement}. Mend the code, or the statement with its bound in "
        f"{entry.where}"
    )


def _line_of(name: str, lines: list[str], first: int) -> int:
    """Return the line, from the first one of a cell on, that has a name; counted from 1."""
    numbers = range(first, len(lines) + 1)
    return next((number for number in numbers if f'"{name}"' in lines[number - 1]), first)


def _machine_problems(page: Page, entries: Iterable[Entry]) -> list[str]:
    """Name the bounds on what depends on the machine; only ratios taken in turns may have one."""
    return [
        f"{entry.where}: [{entry.name}] {_RATIO}"
        for entry in entries
        if entry.page == page.docname and entry.machine and entry.bounds and not page.alone
    ]


def gather(app: Sphinx, build: Build) -> None:
    """Read the tables, and take what the pages measured."""
    build.facts[Claims] = Claims.of_pages(build.root, build.results)


def hold(app: Sphinx, build: Build) -> None:
    """Hold every value; what does not hold is a problem of the build."""
    claims = claims_of(app)
    claims.hold()
    build.problems += claims.problems


def claims_of(app: Sphinx) -> Claims:
    """Return the claims of the build that an application runs."""
    claims: Claims = build_of(app).facts[Claims]
    return claims
