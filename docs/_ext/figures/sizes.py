"""Say in the page how large each figure is, so that nothing moves when it arrives."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.images import get_image_size

LOGGER = logging.getLogger(__name__)
_PIXELS = re.compile(r"([0-9.]+)(px)?$")


def add_sizes(app: Sphinx, doctree: nodes.document) -> None:
    """Give images a width and a height in pixels; one that has a width keeps it."""
    if app.builder.format != "html":
        return
    folder = Path(app.env.doc2path(app.env.docname)).parent
    for image in doctree.findall(nodes.image):
        uri = image["uri"]
        if "://" in uri or uri.startswith("data:"):
            continue
        path = Path(app.srcdir, uri.lstrip("/")) if uri.startswith("/") else folder / uri
        size = get_image_size(path) if path.exists() else None
        if size is None:
            LOGGER.warning("expected an image whose size can be read, got %s", uri, location=image)
        else:
            _resize(image, *size)


def _resize(image: nodes.image, width: int, height: int) -> None:
    asked = _PIXELS.match(image.get("width", f"{width}px"))
    if "height" in image or not asked:
        return  # somebody chose otherwise, as a share of the line
    wide = float(asked[1])
    # Without a unit they are attributes, which style sheets overrule; with one, a style.
    image["width"], image["height"] = f"{wide:.0f}", f"{wide * height / width:.0f}"
