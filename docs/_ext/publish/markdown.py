"""Write documents as plain Markdown: directives and roles as what they show.

Every page has such a twin beside it, `PAGE.md`, and `llms.txt` lists them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx_markdown_builder.translator import MarkdownTranslator

from figures import movable

# Stands for a code cell, whose index in the notebook is between two of these.
MARK = "\x00"
# Classes of parts that only a browser shows: tables of claims, and words for screen readers.
MEASURED_HERE, HIDDEN = "measured-here", "visually-hidden"
# As other programs call them.
LANGUAGES = {"ipython3": "python", "python3": "python", "myst-ansi": "text"}


def write_twin(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Write the Markdown twin of a document."""
    if doctree is None or app.builder.name != "html" or "orphan" in app.env.metadata[docname]:
        return
    target = Path(app.outdir, f"{docname}.md")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(to_markdown(doctree, app.builder, docname), encoding="utf8")


def write_list(app: Sphinx, error: Exception | None) -> None:
    """Write `llms.txt`, a list of the twins: https://llmstxt.org."""
    if error or app.builder.name != "html":
        return
    env = app.env
    lines = [f"# {app.config.project}", "", f"> {_about(app, app.config.root_doc)}", ""]
    lines += ["Every page as plain Markdown:", ""]
    for docname in sorted(env.all_docs):
        if "orphan" in env.metadata[docname]:
            continue
        lines.append(f"- [{env.titles[docname].astext()}]({app.config.html_baseurl}{docname}.md)")
        lines[-1] += f": {about}" if (about := _about(app, docname)) else ""
    Path(app.outdir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf8")


def _about(app: Sphinx, docname: str) -> str:
    return str(app.env.metadata[docname].get("description", ""))


def to_markdown(
    doctree: nodes.document,
    builder: Builder,
    docname: str,
    *,
    marks: bool = False,
    address: str = "",
) -> str:
    """Return a resolved document as Markdown.

    With `marks`, a mark stands for each code cell. Links to other pages begin
    with `address`; without one they are relative, and with marks they are their words alone.
    """
    translator = _Translator(doctree, builder, docname, marks=marks, address=address)
    doctree.walkabout(translator)
    return str(translator.astext())


class _Translator(MarkdownTranslator):
    def __init__(
        self,
        document: nodes.document,
        builder: Builder,
        docname: str,
        *,
        marks: bool,
        address: str,
    ) -> None:
        super().__init__(document, builder)
        self.docname, self.marks, self.address = docname, marks, address
        self._open: list[str] = []  # targets of the links around what is being written
        # Markdown makes an anchor of a heading, and of nothing else.
        self._headings = {nodes.make_id(each.astext()) for each in document.findall(nodes.title)}

    # What a page folds, and what only a browser shows apart, is shown here as it stands.
    visit_HideCodeCellNode = visit_admonition = visit_HideInputCellNode = MarkdownTranslator._pass
    visit_PassthroughTextElement = visit_abbreviation = visit_citation = MarkdownTranslator._pass

    def visit_container(self, node: nodes.Element) -> None:
        if MEASURED_HERE in node["classes"]:
            raise nodes.SkipNode
        if self.marks and node.get("nb_element") == "cell_code" and "cell_index" in node:
            self.add(f"{MARK}{node['cell_index']}{MARK}", prefix_eol=2, suffix_eol=2)
            for caption in node.findall(nodes.caption):
                caption.walkabout(self)
            raise nodes.SkipNode

    def visit_inline(self, node: nodes.Element) -> None:
        if HIDDEN in node["classes"]:
            raise nodes.SkipNode

    def visit_classifier(self, node: nodes.Element) -> None:
        self.add(" : ")

    def visit_label(self, node: nodes.Element) -> None:
        self.add(f"**{node.astext()}** ", prefix_eol=2)
        raise nodes.SkipNode

    def visit_caption(self, node: nodes.Element) -> None:
        self.ensure_eol(2)

    def depart_caption(self, node: nodes.Element) -> None:
        self.ensure_eol(2)

    def visit_comment(self, node: nodes.Element) -> None:
        raise nodes.SkipNode

    def visit_image(self, node: nodes.Element) -> None:
        words = node.get("alt", "")
        if "for-dark" not in node["classes"]:
            # Sphinx has replaced the address of the file by the way to it from the page.
            near = not self.marks or self.address
            self.add(f"![{words}]({self._from_here(node['uri'])})" if near else f"({words})", 2, 2)
        raise nodes.SkipNode

    def visit_raw(self, node: nodes.Element) -> None:
        # The figure that moves: its picture stands before it.
        if movable.is_live(node):
            raise nodes.SkipNode

    def depart_raw(self, node: nodes.Element) -> None:
        pass

    def visit_literal_block(self, node: nodes.Element) -> None:
        language = node.get("language", "")
        node["language"] = LANGUAGES.get(language, language)
        super().visit_literal_block(node)

    def visit_reference(self, node: nodes.Element) -> None:
        self._open.append(self._target(node))
        if self._open[-1]:
            self.add("[")

    def depart_reference(self, node: nodes.Element) -> None:
        if target := self._open.pop():
            self.add(f"]({target})")

    def _target(self, node: nodes.Element) -> str:
        """Return where a link leads, or nothing where its words are enough."""
        label = node.get("refid", "")
        target = str(node.get("refuri") or (f"#{label}" if label in self._headings else ""))
        # A measured number links to its record, a picture to itself, in nearly every sentence.
        if not target or "claim" in node["classes"] or node.next_node(nodes.image):
            return ""
        if "://" in target or target.startswith("mailto:"):
            return target
        return "" if self.marks and not self.address else self._from_here(target)

    def _from_here(self, target: str) -> str:
        """Turn a relative link of this page into a full one, where the site has an address."""
        if not self.address:
            return target
        return urljoin(self.address + self.builder.get_target_uri(self.docname), target)
