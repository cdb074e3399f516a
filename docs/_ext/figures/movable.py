"""Figures that a reader can move: Vega-Lite draws what the page has computed.

A cell tagged `remove-input` displays tables under `MIME`, a mapping from the name of each to its
columns. What is drawn of them and what moves it stands in `docs/_movable/FIGURE.json`, a
Vega-Lite specification under the name of the cell's figure: an edit of it executes nothing.

The page gets a picture at the first position, a figure as any other, and behind it what
`movable.js` makes the live one of. Both are drawn by the same library, in the same look.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib
import vl_convert
from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_output
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from figures import dark
from figures.dark import COLOUR, dark_colour
from run.disk import remembered, write_whole
from run.store import PageStore

MIME = "application/vnd.trainable-spikes.movable+json"
FOLDER = "docs/_movable"
# The one name that `movable.js` uses; the bundle leaves the others out.
ASKED = "window.vegaEmbed = vegaEmbed;"
_STAMP = hashlib.sha256(f"{version('vl-convert-python')} {ASKED}".encode()).hexdigest()[:8]
LIBRARY = f"vega-{_STAMP}.js"
_BEGIN = '<div class="movable">'
CONTROLS = ("range", "select")
WIDTHS = (240, 700)  # of a panel on a phone and on a desktop, where a legend has fewer lines
SHARP = 2  # pixels of a download's picture for each of the page's

# The look of the site's other figures, which matplotlib draws in "tableau-colorblind10". Colours
# have six digits, so that each finds its dark one.
INK = "#000000"
PALETTE = (
    *("#006ba4", "#ff800e", "#ababab", "#595959", "#5f9ed1"),
    *("#c85200", "#898989", "#a2c8ec", "#ffbc79", "#cfcfcf"),
)
_LABELS = {"labelColor": INK, "labelFontSize": 13, "labelFontWeight": "normal"}
_TITLES = {"titleColor": INK, "titleFontSize": 13, "titleFontWeight": "normal"}
LOOK: dict[str, Any] = {
    "font": "DejaVu Sans, Verdana, sans-serif",
    "background": None,
    "view": {"stroke": INK, "continuousWidth": 590, "continuousHeight": 220},
    "axis": {
        **(_LABELS | _TITLES),
        "domain": False,
        "grid": False,
        "labelFlush": False,
        "tickColor": INK,
        "titlePadding": 8,
    },
    "axisX": {"tickCount": {"expr": "ceil(width / 60)"}},
    "legend": {
        **_LABELS,
        "orient": "top",
        "title": None,
        "symbolOpacity": 1,
        "symbolStrokeWidth": 2,
    },
    "title": {"color": INK, "fontSize": 13, "fontWeight": "normal"},
    "text": {"color": INK, "fontSize": 13},
    "line": {"color": PALETTE[0], "strokeWidth": 2},
    "rule": {"color": PALETTE[0], "strokeWidth": 2},
    "point": {"color": PALETTE[0], "filled": True, "opacity": 1},
    "bar": {"color": PALETTE[0]},
    "area": {"color": PALETTE[0]},
    "range": {"category": list(PALETTE)},
}
_LIVE = "movable"  # of a cell, from when its page is read until it has its figure
_PAINT = re.compile(r'\b(?:fill|stroke)="(?!none|transparent|#[0-9a-fA-F]{6}")[^"]*"')


class FigureError(SphinxError):
    """A figure to move cannot be drawn; the message says what to mend."""

    category = "Figure failed"


def add_live(app: Sphinx, doctree: nodes.document) -> None:
    """Put what the live figure is made of beside its picture; an edit of it renders the page."""
    for cell in doctree.findall(nodes.container):
        metadata: dict[str, Any] = cell.get("cell_metadata", {})
        if _LIVE not in metadata:
            continue
        app.env.note_dependency(str(_specification(Path(app.srcdir).parent, metadata)))
        image = next(cell.findall(nodes.image))
        live = nodes.raw("", metadata.pop(_LIVE), format="html")
        image.parent.insert(image.parent.index(image) + 1, live)


def add_scripts(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give a page with such a figure the script, and the site the library beside it."""
    if _BEGIN not in context.get("body", ""):
        return
    app.add_js_file("movable.js", loading_method="defer")
    target = Path(app.outdir, "_static", LIBRARY)
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        write_whole(target, library(PageStore.of(Path(app.srcdir).parent).folder))


def library(store: Path) -> bytes:
    """Return the library as one script. Making it takes seconds, so the page store keeps it."""
    file = store / "scripts" / LIBRARY
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # It is a module, whose names would clash with those of other scripts on a page.
        script = f'(() => {{\n"use strict";\n{vl_convert.javascript_bundle(ASKED)}\n}})();\n'
        write_whole(file, script.encode())
    return file.read_bytes()


def is_live(node: nodes.Node) -> bool:
    """Whether a node is what a figure to move is made of, beside its picture."""
    return isinstance(node, nodes.raw) and node.astext().startswith(_BEGIN)


def is_movable(executed: NotebookNode) -> bool:
    """Whether a cell that has run displays data to move through."""
    return any(MIME in output.get("data", {}) for output in executed.outputs)


def show(root: Path, cell: NotebookNode, executed: NotebookNode) -> None:
    """Give such a cell of a page its picture, and what the live figure is made of."""
    parts = _parts(root, cell, executed)
    picture, live = remembered(
        PageStore.of(root).folder / "drawn", [parts, _drawing_code()], lambda: _drawn(*parts)
    )
    if odd := sorted(set(_PAINT.findall(picture))):
        raise FigureError(
            f"{_specification(root, cell.metadata)}: expected colours of six digits, such as "
            f"{PALETTE[1]}, which have a dark twin; got {', '.join(odd)}"
        )
    cell.outputs = [new_output("display_data", {"image/svg+xml": picture})]
    cell.metadata[_LIVE] = live


@cache
def _drawing_code() -> list[str]:
    """Return what else a figure depends on: the library, and the code here and of its colours."""
    files = (Path(__file__), Path(dark.__file__))
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return [version("vl-convert-python"), version("matplotlib"), *digests]


def _drawn(
    specification: dict[str, Any], tables: dict[str, Any], controls: list[dict[str, Any]]
) -> tuple[str, str]:
    """Return the picture, and what the live figure is made of."""
    _use_fonts_of_other_figures()
    picture = vl_convert.vegalite_to_svg(_still(specification, tables), config=LOOK)
    return picture, _live(specification, tables, controls)


def taken_along(root: Path, cell: NotebookNode, executed: NotebookNode) -> list[NotebookNode]:
    """Return what a download shows of such a cell: the picture, in the form of all programs."""
    specification, tables, _ = _parts(root, cell, executed)
    _use_fonts_of_other_figures()
    paper = LOOK | {"background": "#ffffff"}
    picture = vl_convert.vegalite_to_png(_still(specification, tables), scale=SHARP, config=paper)
    return [new_output("display_data", {"image/png": base64.b64encode(picture).decode()})]


@cache
def _use_fonts_of_other_figures() -> None:
    vl_convert.register_font_directory(str(Path(matplotlib.get_data_path(), "fonts", "ttf")))


def _specification(root: Path, metadata: dict[str, Any]) -> Path:
    name = metadata.get("mystnb", {}).get("figure", {}).get("name")
    return root / FOLDER / f"{name}.json"


def _parts(
    root: Path, cell: NotebookNode, executed: NotebookNode
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Return the specification without its controls, the tables, and the controls."""
    path = _specification(root, cell.metadata)
    if not path.is_file():
        raise FigureError(
            f"{path}: expected a Vega-Lite specification under the `name` that the cell of the "
            "figure gives it in `mystnb: figure:`; there is no such file"
        )
    specification = json.loads(path.read_text(encoding="utf8"))
    (tables,) = (out.data[MIME] for out in executed.outputs if MIME in out.get("data", {}))
    controls = [
        {"signal": each["name"], "value": each["value"], **each.pop("bind")}
        for each in specification.get("params", [])
        if "bind" in each
    ]
    for control in controls or [{}]:
        if control.get("input") not in CONTROLS or not control.get("name"):
            raise FigureError(
                f"{path}: expected in `params` what to move, bound to an `input` that is one of "
                f"{', '.join(CONTROLS)}, with the words before it as `name`; got {control}"
            )
    return specification, tables, controls


def _still(specification: dict[str, Any], tables: dict[str, Any]) -> dict[str, Any]:
    return specification | {"datasets": {name: _rows(table) for name, table in tables.items()}}


def _rows(table: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def _live(
    specification: dict[str, Any], tables: dict[str, Any], controls: list[dict[str, Any]]
) -> str:
    """Return all that the live figure is made of, as data in the page: a file may not fetch."""
    panels = [_compiled(panel, tables) for panel in _panels(specification)]
    colours = {colour.lower() for colour in COLOUR.findall(json.dumps(panels))}
    parts = {
        "library": LIBRARY,
        "panels": panels,
        "tables": tables,
        "controls": controls,
        "dark": {colour: dark_colour(colour) for colour in sorted(colours)},
    }
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f'{_BEGIN}<script type="application/json">{text}</script></div>'


def _panels(specification: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a view for each panel: beside one another on a wide screen, else below."""
    common = {name: value for name, value in specification.items() if name != "hconcat"}
    return [common | panel for panel in specification.get("hconcat", [{}])]


def _compiled(panel: dict[str, Any], tables: dict[str, Any]) -> dict[str, Any]:
    """Return a panel as the library takes it, as wide as what is around it, and its height."""
    fitted = panel | {"autosize": {"type": "fit-x", "contains": "padding"}}
    height = max(_height(_still(fitted, tables) | {"width": width}) for width in WIDTHS)
    compiled = vl_convert.vegalite_to_vega(fitted, config=LOOK)
    return {"specification": compiled, "height": height}


def _height(specification: dict[str, Any]) -> float:
    picture = vl_convert.vegalite_to_svg(specification, config=LOOK)
    return float(re.findall(r'^<svg[^>]* height="([\d.]+)"', picture)[0])
