"""List what goes wrong: the symptoms in bold under "When it does not work" on every page."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HEADING = "When it does not work"
ANCHOR = "when-it-does-not-work"
_SECTION = re.compile(rf"^## {HEADING}\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_LEAD = re.compile(r"^\*\*(.+?)\*\*", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def symptoms_of(text: str) -> list[str]:
    """Return the symptoms that a page's source names, as Markdown without the full stop."""
    section = _SECTION.search(text)
    leads = _LEAD.findall(section[1]) if section else []
    return [" ".join(lead.split()).removesuffix(".").replace('."', '"') for lead in leads]


class Symptoms(SphinxDirective):
    """The symptoms of all pages, each with links: error messages, or all others."""

    required_arguments = 1  # "messages" or "behaviour"

    def run(self) -> list[nodes.Node]:
        links: dict[str, list[str]] = {}
        for docname in sorted(self.env.found_docs):
            path = Path(self.env.doc2path(docname))
            self.env.note_dependency(str(path))
            text = path.read_text(encoding="utf8")
            for symptom in symptoms_of(text):
                (title, *_) = _TITLE.findall(text)
                links.setdefault(symptom, []).append(f"[{title}](/{docname}.md#{ANCHOR})")
        messages = self.arguments[0] == "messages"
        lines = [
            f"- {symptom}: {', '.join(links[symptom])}"
            for symptom in sorted(links, key=lambda symptom: symptom.strip('`"').lower())
            if symptom.startswith("`") == messages
        ]
        parent = nodes.container(classes=["symptoms"])
        self.state.nested_parse(StringList(lines, source=str(self.get_location())), 0, parent)
        return [parent]
