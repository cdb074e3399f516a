"""The lists of what was measured: on the page that measures, and of the whole site."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from claims.claim import Claim
from claims.export import verdict
from claims.gather import Claims, claims_of
from claims.roles import anchor
from claims.shown import EVERYTHING, note
from run.build import Build, app_of, build_of
from run.kernel import cores
from run.provenance import provenance

MIB = 2**20
HERE = "measured-here"
CLAIMS = ("sortable", "measured-claims")


def add(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("measured-here", MeasuredHere)
    app.add_directive("measured-claims", ClaimsList)
    app.add_directive("measured-pages", PagesTable)
    app.add_directive("measured-build", BuildFacts)


class _Lister(SphinxDirective):
    @property
    def build(self) -> Build:
        """The account of the build that reads this document."""
        return build_of(app_of(self.env))

    @property
    def claims(self) -> Claims:
        """The claims of this build."""
        return claims_of(app_of(self.env))

    def table(self, head: list[str], rows: list[list[Any]], *classes: str) -> nodes.table:
        """Return a table of cells, each a node or what can be written as text."""
        table = nodes.table(classes=list(classes))
        group = nodes.tgroup(cols=len(head))
        table += group
        group += [nodes.colspec(colwidth=1) for _ in head]
        header = nodes.thead("", _row([nodes.paragraph(text=cell) for cell in head]))
        body = nodes.tbody("", *(_row(cells) for cells in rows))
        group += [header, body]
        return table

    def link(self, docname: str, text: str, fragment: str = "") -> nodes.paragraph:
        """Return a link to a document, or to a place in it."""
        uri = app_of(self.env).builder.get_relative_uri(self.env.docname, docname) + fragment
        return nodes.paragraph("", "", nodes.reference("", text, internal=True, refuri=uri))


def _row(cells: list[Any]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        content = cell if isinstance(cell, nodes.Node) else nodes.paragraph(text=str(cell))
        row += nodes.entry("", content)
    return row


class MeasuredHere(_Lister):
    """A small folded table: what a cell measured, with its spread, and what it is held to."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the table; names without a claim have failed the build before."""
        rows = []
        for name in self.arguments[0].split():
            for claim in self.claims.claims.values():
                if claim.entry == name:
                    note(self.env, claim.name)
                    rows.append(self._cells(claim))
        table = self.table(["measured here", "value", "held to"], rows, "measured")
        words = f"What the build measured here ({len(rows)})"
        fold = nodes.raw("", f"<details><summary>{words}</summary>", format="html")
        return [
            nodes.container(
                "", fold, table, nodes.raw("", "</details>", format="html"), classes=[HERE]
            )
        ]

    def _cells(self, claim: Claim) -> list[Any]:
        seeds = f" over {len(claim.seeds)} seeds" if len(claim.seeds) > 1 else ""
        says = claim.statement + (f" [{claim.case}]" if claim.case else "")
        return [says, self.claims.shown(claim.name) + seeds, claim.bound or "shown, not held"]


class ClaimsList(_Lister):
    """Every claim of the site, a row each, by page; `filter-list.js` folds and filters them."""

    HEAD = (
        *("claim", "value", "held to", "least room"),
        *("fails when", "seeds", "reported", "verdict"),
    )

    def run(self) -> list[nodes.Node]:
        """Return a part for each page, open for readers without scripts."""
        note(self.env, EVERYTHING)
        pages: dict[str, list[Claim]] = {}
        for claim in self.claims.claims.values():
            pages.setdefault(claim.page, []).append(claim)
        parts = [node for page in sorted(pages) for node in self._part(page, pages[page])]
        return [nodes.container("", *parts, classes=["claims-list"])]

    def _part(self, page: str, claims: list[Claim]) -> list[nodes.Node]:
        source = Path(self.env.doc2path(page))
        self.env.note_dependency(str(source))
        title = source.read_text(encoding="utf8").partition("\n# ")[2].partition("\n")[0]
        recorded = sum(claim.name in self.claims.recorded for claim in claims)
        counts = f"{len(claims)} claims" + f", {recorded} recorded" * bool(recorded)
        begin = f'<details open data-page="{page}"><summary>{escape(title)}: <span>{counts}</span>'
        return [
            nodes.raw("", f"{begin}</summary>", format="html"),
            self.link(page, f"To the page {title}"),
            self.table(list(self.HEAD), [self._cells(claim) for claim in claims], *CLAIMS),
            nodes.raw("", "</details>", format="html"),
        ]

    def _cells(self, claim: Claim) -> list[Any]:
        name, claims = claim.name, self.claims
        room, record = claims.rooms.get(name), claims.recorded.get(name)
        says: list[nodes.Node] = [nodes.inline(text=claim.statement, classes=["says"])]
        says += [nodes.strong(text=f" [{claim.case}]")] if claim.case else []
        tight = room is not None and abs(room.least) < abs(claim.value) / 10
        return [
            nodes.paragraph("", "", *says, ids=[anchor(name)]),
            claims.shown(name),
            claim.bound or "shown, not held",
            nodes.paragraph(text=room.text if room else "", classes=["tight"] * tight),
            _some(claims.fails_when.get(name, [])),
            len(claim.seeds) or "",
            claim.reported.get("text", ""),
            verdict(claims, name) + (f", recorded {record.when}" if record else ""),
        ]


class PagesTable(_Lister):
    """Run time and memory of every page."""

    HEAD = (
        *("page", "claims", "seconds", "core-seconds", "budget", "programs compiled"),
        *("seconds compiling", "peak memory (MiB)", "run at"),
    )

    def run(self) -> list[nodes.Node]:
        """Return the table, and what spreading the work evenly over the cores would take."""
        note(self.env, EVERYTHING)
        runs = [(result.page, result.run) for result in self.build.results if result.run]
        made = [claim.page for claim in self.claims.claims.values()]
        rows = [
            [
                self.link(page.docname, page.docname.rsplit("/", 1)[-1]),
                made.count(page.docname),
                f"{run.seconds:.1f}",
                f"{run.cpu_seconds:.1f}",
                f"{page.budget:g}",
                run.compiled,
                f"{run.compile_seconds:.1f}",
                round(run.peak_memory / MIB),
                run.finished_at[:16].replace("T", " "),
            ]
            for page, run in runs
        ]
        total = sum(run.cpu_seconds for _, run in runs)
        compiling = sum(run.compile_seconds for _, run in runs)
        n_cores = len(cores())
        limit = (
            f"Together these runs took {total:.0f} core-seconds, and JAX compiled for "
            f"{compiling:.0f} s of them. Spread evenly over {n_cores} cores like these, runs as "
            f"costly would take {total / n_cores:.0f} s."
        )
        return [
            self.table(list(self.HEAD), rows, "sortable", "measured-pages"),
            nodes.paragraph(text=limit, classes=["measured-limit"]),
        ]


class BuildFacts(_Lister):
    """Versions, device and commit of this build."""

    def run(self) -> list[nodes.Node]:
        """Return the list of facts."""
        note(self.env, EVERYTHING)
        now = provenance(self.build.root)
        facts = {
            "Python": now.python,
            **now.versions,
            "device": now.device,
            "platform": now.platform,
            "commit": (now.commit[:10] or "unknown") + ", with changes" * now.changed,
        }
        items = [nodes.list_item("", nodes.paragraph(text=f"{k}: {v}")) for k, v in facts.items()]
        return [nodes.bullet_list("", *items, classes=["build-facts"])]


def _some(clauses: list[str]) -> str:
    more = f"; and {len(clauses) - 1} more" if len(clauses) > 1 else ""
    return "".join(clauses[:1]) + more
