"""Show a figure that another page computed, with the caption written here."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from docutils import nodes
from nbformat import NotebookNode
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from figures.formats import one_picture
from run.build import Build, app_of, build_of

LOGGER = logging.getLogger(__name__)


class PageFigure(SphinxDirective):
    """The figure of a page by its name: ```{page-figure} gallery/fashion-mnist fig-answers```."""

    required_arguments = 2
    has_content = True

    def run(self) -> list[nodes.Node]:
        docname, name = self.arguments
        found = figures(build_of(app_of(self.env)), docname)
        if name not in found:
            LOGGER.warning(
                "expected one of the figures of %s: %s; got %r",
                docname,
                ", ".join(found) or "it has none",
                name,
                location=self.get_location(),
            )
            return []
        alternative, output = found[name]
        # What it shows may change with `src`, of which this document knows nothing.
        self.env.note_reread()
        shown = one_picture(output.data)
        form, ending = (
            ("image/svg+xml", "svg") if "image/svg+xml" in shown else ("image/png", "png")
        )
        picture = Path(self.env.doctreedir).parent / "page-figures" / f"{name}.{ending}"
        picture.parent.mkdir(parents=True, exist_ok=True)
        data = shown[form].encode()
        picture.write_bytes(data if ending == "svg" else base64.b64decode(data))
        folder = Path(self.env.doc2path(self.env.docname)).parent
        image = nodes.image(uri=os.path.relpath(picture, folder), alt=alternative)
        if ending == "png":
            image["width"] = f"{output.metadata[form]['width']}px"
        caption = nodes.caption("", "", *self.parse_inline(" ".join(self.content))[0])
        return [nodes.figure("", image, caption, classes=["page-figure"])]


def figures(build: Build, docname: str) -> dict[str, tuple[str, NotebookNode]]:
    """Return, by name, the alternative text and the output of each named figure of a page."""
    result = build.result(docname)
    if result is None or result.run is None:
        return {}
    found = {}
    code = [cell for cell in result.page.notebook.cells if cell.cell_type == "code"]
    for cell, executed in zip(code, result.run.notebook.cells, strict=True):
        shown = cell.metadata.get("mystnb", {})
        drawn = [out for out in executed.outputs if "image/png" in out.get("data", {})]
        if drawn and "name" in shown.get("figure", {}):
            found[shown["figure"]["name"]] = (shown["image"]["alt"], drawn[0])
    return found
