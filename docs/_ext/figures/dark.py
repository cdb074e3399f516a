"""Show a dark twin of every SVG figure where the reader's screen is dark.

Paper and ink change places, greys turn round, and dark colours become lighter. Pictures inside
of a figure, such as images and colour maps, stay as they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

# The theme's own background and text, so that a figure has no edge.
PAPER, INK = "#121212", "#ced6dd"
# The palette "tableau-colorblind10", in which data is drawn, and its colours on dark paper. Its
# greys are chosen here; those of frames and grids turn round.
DATA = {
    "#006ba4": "#3d9bd6",
    "#c85200": "#e8772e",
    "#595959": "#7d848a",
    "#898989": "#898989",
    "#ababab": "#ababab",
    "#cfcfcf": "#cfcfcf",
}
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")


def add_twins(app: Sphinx, doctree: nodes.document) -> None:
    """Put a dark twin behind every SVG of a document, and let each theme show its own."""
    if app.builder.format != "html":
        return
    folder = Path(app.env.doc2path(app.env.docname)).parent
    for image in list(doctree.findall(nodes.image)):
        if not image["uri"].endswith(".svg") or "://" in image["uri"]:
            continue
        source = _path(app, folder, image["uri"])
        twin = image.deepcopy()
        twin["uri"] = os.path.relpath(_dark_file(app, source), folder)
        for each, theme in ((image, "for-light"), (twin, "for-dark")):
            # A link around the picture that is not shown would be a link without words. The
            # theme dims pictures in the dark, except those of the class dark-light.
            each["classes"] += [theme, "dark-light", "no-scaled-link"]
            each["loading"] = "lazy"  # so that a browser fetches only the one it shows
        image.parent.insert(image.parent.index(image) + 1, twin)


def _path(app: Sphinx, folder: Path, uri: str) -> Path:
    return Path(app.srcdir, uri.lstrip("/")) if uri.startswith("/") else Path(folder, uri)


def _dark_file(app: Sphinx, source: Path) -> Path:
    text = darkened(source.read_text(encoding="utf8"))
    name = f"{source.stem}-dark-{hashlib.sha256(text.encode()).hexdigest()[:8]}.svg"
    target = Path(app.doctreedir).parent / "dark-figures" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf8")
    return target


def darkened(svg: str) -> str:
    """Return an SVG in the colours of a dark page.

    Raises
    ------
    ValueError
        The root has a colour of its own.
    """
    root = re.search(r"<svg\b[^>]*>", svg)
    if not root or " fill=" in root[0]:
        raise ValueError(
            f"expected an SVG whose root has no `fill`, got {root and root[0]}: draw on a group"
        )
    # Parts without a colour of their own are black.
    svg = svg.replace("<svg", f'<svg fill="{INK}"', 1)
    return COLOUR.sub(lambda match: dark_colour(match[0].lower()), svg)


def dark_colour(colour: str) -> str:
    """Return the colour that replaces one such as "#006ba4" on dark paper."""
    if colour in DATA:
        return DATA[colour]
    channels = _channels(colour)
    if max(channels) - min(channels) > 8:
        return colour
    share = channels[0] / 255  # of the way from ink to paper
    ends = zip(_channels(INK), _channels(PAPER), strict=True)
    return "#" + "".join(f"{round(ink + share * (paper - ink)):02x}" for ink, paper in ends)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
