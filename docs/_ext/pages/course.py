"""Draw the map of the course: every page under the one to read before it."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from run.build import app_of, build_of
from run.page import KINDS, Page


class CourseMap(SphinxDirective):
    """All pages as nested lists; each page says in its front matter which one it follows."""

    def run(self) -> list[nodes.Node]:
        pages = [result.page for result in build_of(app_of(self.env)).results]
        for page in pages:
            self.env.note_dependency(str(self.env.doc2path(page.docname)))
        pages.sort(key=lambda page: (KINDS.index(page.kind), page.docname))
        return [nodes.container("", *_branches(pages, ""), classes=["course-map"])]


def _branches(pages: list[Page], after: str) -> list[nodes.Node]:
    items = [
        nodes.list_item("", _line(page), *_branches(pages, page.docname))
        for page in pages
        if page.after == after
    ]
    return [nodes.bullet_list("", *items)] if items else []


def _line(page: Page) -> nodes.paragraph:
    facts = page.notebook.metadata
    link = addnodes.pending_xref(
        "",
        nodes.inline(text=facts["title"]),
        refdomain="std",
        reftype="doc",
        reftarget=f"/{page.docname}",
        refexplicit=True,
        refwarn=True,
    )
    kind = nodes.inline(
        text=page.kind.replace("howto", "how-to"), classes=["course-kind", page.kind]
    )
    return nodes.paragraph("", "", link, nodes.Text(" "), kind, nodes.Text(f" {facts['gives']}"))
