"""The three roles that write numbers into prose."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole, SphinxRole

from claims.gather import Claims, claims_of
from claims.shown import note, note_quoted
from claims.table import closest
from run.build import app_of

LOGGER = logging.getLogger(__name__)
LIST = "reference/measured"
Nodes = tuple[list[nodes.Node], list[nodes.system_message]]


def add(app: Sphinx) -> None:
    """Register the roles."""
    app.add_role("claim", ClaimRole())
    app.add_role("quoted", QuotedRole())
    app.add_role("setting", SettingRole())


class ClaimRole(ReferenceRole):
    """The value of a claim, or words in its place, linked to its row in the list."""

    def run(self) -> Nodes:
        """Return the link; an unknown name is a warning, which names the closest one."""
        name = self.target
        app = app_of(self.env)
        claims = claims_of(app)
        if name not in claims.claims:
            near = closest(name, claims.claims)
            LOGGER.warning("nothing measures %r%s", name, near, location=self.get_location())
            return [nodes.inline(text=name)], []
        note(self.env, name)
        text = self.title if self.has_explicit_title else claims.shown(name)
        link = nodes.reference(
            "",
            text,
            internal=True,
            refuri=app.builder.get_relative_uri(self.env.docname, LIST) + f"#{anchor(name)}",
            reftitle=details(claims, name),
            classes=["claim"],
        )
        if not self.has_explicit_title:
            # A cell of a table has room for the text alone.
            record = claims.recorded.get(name)
            older = " (older code)" if record and record.stale else ""
            link["in-table"] = claims.claims[name].text + older
        return [link], []


class QuotedRole(SphinxRole):
    """A figure that others report; it stands in the JSON file too."""

    def run(self) -> Nodes:
        """Return the figure, marked."""
        note_quoted(self.env, self.text)
        return [nodes.inline(text=self.text, classes=["quoted"])], []


class SettingRole(SphinxRole):
    """A number that somebody chose, where it reads like one that was measured."""

    def run(self) -> Nodes:
        """Return the number, marked."""
        return [nodes.inline(text=self.text, classes=["setting"])], []


def anchor(name: str) -> str:
    """Return the fragment of an address that leads to a claim in the list."""
    entry, _, case = name.removesuffix("]").partition("[")
    # Names have no two hyphens in a row, so that a case and another entry never agree.
    return f"claim-{entry}" + f"--{re.sub(r'[^A-Za-z0-9.-]+', '-', case)}" * bool(case)


def details(claims: Claims, name: str) -> str:
    """Return what a reader sees who points at a claim: statement, bound, origin."""
    claim, record = claims.claims[name], claims.recorded.get(name)
    text = f"{claim.statement}: {claim.summary}"
    if record:
        text += f"; recorded {record.when} on {record.device}, at commit {record.commit[:10]}"
    return text


def shorten_in_tables(app: Sphinx, doctree: nodes.document) -> None:
    """Leave out of table cells what stands in a claim's tooltip too."""
    for entry in doctree.findall(nodes.entry):
        for link in entry.findall(nodes.reference):
            if "in-table" in link:
                link.children = [nodes.Text(link["in-table"])]
