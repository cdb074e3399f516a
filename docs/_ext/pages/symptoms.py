"""List what goes wrong: the symptoms in bold under "When it does not work" on every page.

A symptom belongs to the one group of `docs/reference/symptoms.toml` that has some of its words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
HEADING = "When it does not work"
ANCHOR = "when-it-does-not-work"
GROUPS = "reference/symptoms.toml"
_SECTION = re.compile(rf"^## {HEADING}\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_LEAD = re.compile(r"^\*\*(.+?)\*\*", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def symptoms_of(text: str) -> list[str]:
    """Return the symptoms that a page's source names, as Markdown without the full stop."""
    section = _SECTION.search(text)
    leads = _LEAD.findall(section[1]) if section else []
    return [" ".join(lead.split()).removesuffix(".").replace('."', '"') for lead in leads]


def groups_of(symptom: str, groups: Mapping[str, list[str]]) -> list[str]:
    """Return the groups that have some of a symptom's words; it should be one."""
    text = symptom.lower()
    return [group for group, words in groups.items() if any(each.lower() in text for each in words)]


class Symptoms(SphinxDirective):
    """The symptoms of all pages in their groups, each with links."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each group; a symptom without one, or with two, is a warning."""
        table = Path(self.env.srcdir, GROUPS)
        self.env.note_dependency(str(table))
        groups: dict[str, list[str]] = tomllib.loads(table.read_text(encoding="utf8"))
        lines: dict[str, list[str]] = {group: [] for group in groups}
        links = self._links()
        for symptom in sorted(links, key=lambda each: (each[0] == "`", each.strip('`"').lower())):
            fitting = groups_of(symptom, groups)
            if len(fitting) != 1:
                LOGGER.warning(
                    "expected words of the symptom %r in one group of docs/%s, got %s; its groups "
                    "are %s",
                    *(symptom, GROUPS, fitting or "none", ", ".join(map(repr, groups))),
                    location=self.get_location(),
                )
            for group in fitting[:1]:
                lines[group].append(f"- {symptom}: {', '.join(links[symptom])}")
        return [self._section(group, each) for group, each in lines.items() if each]

    def _links(self) -> dict[str, list[str]]:
        links: dict[str, list[str]] = {}
        for docname in sorted(self.env.found_docs):
            path = Path(self.env.doc2path(docname))
            self.env.note_dependency(str(path))
            text = path.read_text(encoding="utf8")
            for symptom in symptoms_of(text):
                (title, *_) = _TITLE.findall(text)
                links.setdefault(symptom, []).append(f"[{title}](/{docname}.md#{ANCHOR})")
        return links

    def _section(self, group: str, lines: list[str]) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(group)], classes=["symptoms"])
        section += nodes.title(text=group)
        self.state.nested_parse(StringList(lines, source=str(self.get_location())), 0, section)
        return section
