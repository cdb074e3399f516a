"""Show what the build measured: claims in prose, the page that lists them, and one JSON file.

Three roles write numbers into prose. ``{claim}`name` `` shows the value of a claim, and
``{claim}`words <name>` `` puts words in its place. ``{quoted}`86.3 %` `` marks a figure that
others report, beside its citation. ``{setting}`3 times` `` marks one that somebody chose.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole, SphinxDirective, SphinxRole

import executed_pages
from claim_record import Claim
from evidence import Evidence, load_evidence
from falsified_record import load_falsified
from margins_record import Room, load_margins
from page_kernel import cores
from page_runner import PageResult
from provenance import provenance

LOGGER = logging.getLogger(__name__)
LIST = "reference/measured"
JSON_FILE = "claims.json"
SCHEMA_VERSION = 1
MIB = 2**20


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("claim", ClaimRole())
    app.add_role("quoted", QuotedRole())
    app.add_role("setting", SettingRole())
    app.add_directive("measured-claims", ClaimsTable)
    app.add_directive("measured-pages", PagesTable)
    app.add_directive("measured-build", BuildFacts)
    # After the pages have run, and before Sphinx asks what is outdated.
    app.connect("builder-inited", gather, priority=950)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", purge)
    app.connect("doctree-read", shorten_in_tables)
    app.connect("env-merge-info", merge)
    app.connect("build-finished", write_json)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


class Measured:
    """All claims of a build by name, from its pages and from recorded evidence."""

    def __init__(self, root: Path, results: list[PageResult]) -> None:
        self.root = root
        self.results = results
        self.evidence: list[Evidence] = load_evidence(root)
        self.rooms: dict[str, Room] = load_margins(root, [result.page for result in results])
        self.fails_when: dict[str, list[str]] = load_falsified(root)
        self.claims: dict[str, Claim] = {}
        self.page: dict[str, str] = {}
        self.record: dict[str, Evidence] = {}
        self.older: set[str] = set()  # claims whose record was made by older code
        for result in results:
            for claim in result.run.claims if result.run else []:
                self._add(claim, result.page.docname)
        for record in self.evidence:
            for claim in record.claims:
                if not claim.holds:
                    raise executed_pages.PagesFailed(f"{record.page}: recorded, {claim.summary}")
                self._add(claim, record.page)
                self.record[claim.name] = record
            if record.stale(root):
                self.older |= {claim.name for claim in record.claims}

    def _add(self, claim: Claim, page: str) -> None:
        if claim.name in self.claims:
            raise executed_pages.PagesFailed(
                f"{page}: expected a name of its own for claim {claim.name!r}, but "
                f"{self.page[claim.name]} has one of that name: rename one of them"
            )
        self.claims[claim.name] = claim
        self.page[claim.name] = page

    def details(self, name: str) -> str:
        """Return what a reader sees who points at a claim: statement, bound, origin."""
        claim, record = self.claims[name], self.record.get(name)
        text = f"{claim.statement}: {claim.summary}"
        if record:
            came = record.provenance
            text += f"; recorded {came.when} on {came.device}, at commit {came.commit[:10]}"
        return text

    def shown(self, name: str) -> str:
        """Return what prose says of a claim: its text, its machine, and that it is recorded."""
        claim, record = self.claims[name], self.record.get(name)
        notes = []
        if record:
            notes.append("recorded" + ", the code has changed since" * (name in self.older))
        if claim.machine and record:
            notes.append(f"on {record.provenance.device}")
        elif claim.machine:
            (run,) = (r.run for r in self.results if r.page.docname == self.page[name])
            notes += [f"on {run.provenance.device}"] if run else []
        return f"{claim.text} ({'; '.join(notes)})" if notes else claim.text

    def shown_in_table(self, name: str) -> str:
        """Return the text alone, all that a cell has room for, and whether its code is older.

        That it is recorded stands in the tooltip, and in the list that the cell links to.
        """
        return self.claims[name].text + " (older code)" * (name in self.older)


_measured: Measured  # of this build; set before anything is read


def gather(app: Sphinx) -> None:
    global _measured
    _measured = Measured(Path(app.srcdir).parent, executed_pages.results)
    env = app.env
    for name in ("claims_shown", "quoted_figures"):
        if not hasattr(env, name):
            setattr(env, name, {})


def outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Name the documents that show a claim whose text is not what it was."""
    shown: dict[str, dict[str, str]] = env.claims_shown  # type: ignore[attr-defined]
    return [
        docname
        for docname, texts in shown.items()
        if docname in env.all_docs and any(_current(name) != text for name, text in texts.items())
    ]


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    env.claims_shown.pop(docname, None)  # type: ignore[attr-defined]
    env.quoted_figures.pop(docname, None)  # type: ignore[attr-defined]


def merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    for name in ("claims_shown", "quoted_figures"):
        found = getattr(other, name, {})
        getattr(env, name).update({d: found[d] for d in docnames if d in found})


def _current(name: str) -> str:
    if name == "*":  # a document that shows everything
        return json.dumps(_as_json([], {}), sort_keys=True)
    return _measured.shown(name) if name in _measured.claims else ""


def _note_shown(env: BuildEnvironment, name: str) -> None:
    shown = env.claims_shown.setdefault(env.docname, {})  # type: ignore[attr-defined]
    shown[name] = _current(name)


class ClaimRole(ReferenceRole):
    """The value of a claim, or words in its place, linked to its row in the list."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        name = self.target
        claim = _measured.claims.get(name)
        if claim is None:
            close = difflib.get_close_matches(name, _measured.claims, 3)
            LOGGER.warning(
                "no page claims %r; claims of a similar name: %s",
                name,
                ", ".join(close) or "none",
                location=self.get_location(),
            )
            return [nodes.inline(text=name)], []
        _note_shown(self.env, name)
        text = self.title if self.has_explicit_title else _measured.shown(name)
        builder = self.env._app.builder
        link = nodes.reference(
            "",
            text,
            internal=True,
            refuri=builder.get_relative_uri(self.env.docname, LIST) + f"#claim-{name}",
            reftitle=_measured.details(name),
            classes=["claim"],
        )
        if not self.has_explicit_title:
            link["in-table"] = _measured.shown_in_table(name)
        return [link], []


def shorten_in_tables(app: Sphinx, doctree: nodes.document) -> None:
    """Leave out of table cells what stands in a claim's tooltip too."""
    for entry in doctree.findall(nodes.entry):
        for link in entry.findall(nodes.reference):
            if "in-table" in link:
                link.children = [nodes.Text(link["in-table"])]


class QuotedRole(SphinxRole):
    """A figure that others report; it stands in the JSON file too."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        quoted = self.env.quoted_figures  # type: ignore[attr-defined]
        quoted.setdefault(self.env.docname, []).append(self.text)
        return [nodes.inline(text=self.text, classes=["quoted"])], []


class SettingRole(SphinxRole):
    """A number that somebody chose, where it reads like one that was measured."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [nodes.inline(text=self.text, classes=["setting"])], []


class _Table(SphinxDirective):
    def table(self, head: list[str], rows: list[list[Any]], name: str) -> nodes.Node:
        _note_shown(self.env, "*")
        table = nodes.table(classes=["sortable", name])
        group = nodes.tgroup(cols=len(head))
        table += group
        group += [nodes.colspec(colwidth=1) for _ in head]
        header, body = nodes.thead(), nodes.tbody()
        header += self._row(head)
        body += [self._row(row) for row in rows]
        group += [header, body]
        return table

    def _row(self, cells: list[Any]) -> nodes.row:
        row = nodes.row()
        for cell in cells:
            content = cell if isinstance(cell, nodes.Node) else nodes.paragraph(text=str(cell))
            row += nodes.entry("", content)
        return row

    def link(self, docname: str, text: str) -> nodes.paragraph:
        builder = self.env._app.builder
        uri = builder.get_relative_uri(self.env.docname, docname)
        return nodes.paragraph("", "", nodes.reference("", text, internal=True, refuri=uri))


class ClaimsTable(_Table):
    """Every claim of the site, a row each."""

    def run(self) -> list[nodes.Node]:
        head = ["claim", "value", "held", "least room", "fails when", "seeds"]
        head += ["reported", "verdict", "page"]
        rows = []
        for name, claim in _measured.claims.items():
            statement = nodes.paragraph("", claim.statement, ids=[f"claim-{name}"])
            page = _measured.page[name]
            room, record = _measured.rooms.get(name), _measured.record.get(name)
            rows.append(
                [
                    statement,
                    _measured.shown(name),
                    claim.bound or "shown, not held",
                    room.text if room else "",
                    _some(_measured.fails_when.get(name, [])),
                    len(claim.seeds) or "",
                    claim.reported.get("text", ""),
                    _verdict(claim) + (f", recorded {record.provenance.when}" if record else ""),
                    self.link(page, page.rsplit("/", 1)[-1]),
                ]
            )
        return [self.table(head, rows, "measured-claims")]


class PagesTable(_Table):
    """Run time and memory of every page."""

    def run(self) -> list[nodes.Node]:
        head = [
            "page",
            "claims",
            "seconds",
            "core-seconds",
            "budget",
            "programs compiled",
            "seconds compiling",
            "peak memory (MiB)",
            "run at",
        ]
        rows, total, compiling = [], 0.0, 0.0
        for result in _measured.results:
            run, page = result.run, result.page
            assert run, page.docname  # a build without it has failed
            total += run.cpu_seconds
            compiling += run.compile_seconds
            rows.append(
                [
                    self.link(page.docname, page.docname.rsplit("/", 1)[-1]),
                    len(run.claims),
                    f"{run.seconds:.1f}",
                    f"{run.cpu_seconds:.1f}",
                    f"{page.budget:g}",
                    run.compiled,
                    f"{run.compile_seconds:.1f}",
                    round(run.peak_memory / MIB),
                    run.finished_at[:16].replace("T", " "),
                ]
            )
        n_cores = len(cores())
        limit = (
            f"Together these runs took {total:.0f} core-seconds, and JAX compiled for "
            f"{compiling:.0f} s of them. Spread evenly over {n_cores} cores like these, runs as "
            f"costly would take {total / n_cores:.0f} s."
        )
        return [
            self.table(head, rows, "measured-pages"),
            nodes.paragraph(text=limit, classes=["measured-limit"]),
        ]


class BuildFacts(SphinxDirective):
    """Versions, device and commit of this build."""

    def run(self) -> list[nodes.Node]:
        _note_shown(self.env, "*")
        now = provenance(_measured.root)
        facts = {
            "Python": now.python,
            **now.versions,
            "device": now.device,
            "platform": now.platform,
            "commit": _commit(now.commit, now.changed),
        }
        items = [nodes.list_item("", nodes.paragraph(text=f"{k}: {v}")) for k, v in facts.items()]
        return [nodes.bullet_list("", *items, classes=["build-facts"])]


def _commit(commit: str, changed: bool) -> str:
    return (commit[:10] or "unknown") + (", with changes" if changed else "")


def _some(clauses: list[str]) -> str:
    more = f"; and {len(clauses) - 1} more" if len(clauses) > 1 else ""
    return "".join(clauses[:1]) + more


def _verdict(claim: Claim) -> str:
    return "holds" if claim.bound else "measured"  # a build with a missed one has failed


def write_json(app: Sphinx, error: Exception | None) -> None:
    """Write the file that has everything the list shows, next to the index page."""
    if error or app.builder.format != "html":
        return
    titles = {docname: title.astext() for docname, title in app.env.titles.items()}
    facts = _as_json(app.env.quoted_figures.items(), titles)  # type: ignore[attr-defined]
    facts["build"] = asdict(provenance(_measured.root))
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    Path(app.outdir, JSON_FILE).write_text(text + "\n", encoding="utf8")


def _as_json(quoted: Iterable[tuple[str, list[str]]], titles: dict[str, str]) -> dict[str, Any]:
    pages = []
    for result in _measured.results:
        run = result.run
        assert run, result.page.docname
        pages.append(
            {
                "page": result.page.docname,
                "title": titles.get(result.page.docname, ""),
                "seconds": run.seconds,
                "core_seconds": run.cpu_seconds,
                "programs_compiled": run.compiled,
                "compile_seconds": run.compile_seconds,
                "budget": result.page.budget,
                "peak_memory_bytes": run.peak_memory,
                "run_at": run.finished_at,
                **asdict(run.provenance),
            }
        )
    claims = []
    for name, claim in _measured.claims.items():
        record, room = _measured.record.get(name), _measured.rooms.get(name)
        claims.append(
            {
                "page": _measured.page[name],
                **asdict(claim),
                "shown": _measured.shown(name),
                "verdict": _verdict(claim),
                "least_room": asdict(room) if room else None,
                "fails_when": _measured.fails_when.get(name, []),
                "recorded": asdict(record.provenance) if record else None,
                "stale": name in _measured.older,
            }
        )
    figures = [{"page": page, "text": text} for page, texts in sorted(quoted) for text in texts]
    return {"schema": SCHEMA_VERSION, "pages": pages, "claims": claims, "quoted": figures}
