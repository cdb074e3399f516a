"""Choose the format in which a figure is shown."""

from __future__ import annotations

import gzip
from typing import Any

# Sharp on every screen and with a dark twin: an SVG is worth some bytes more.
SVG_MAY_BE_LARGER = 1.5


def one_picture(data: dict[str, Any]) -> dict[str, Any]:
    """Keep one of a figure's two formats, compared as a server sends them: SVG where it can be."""
    if not {"image/png", "image/svg+xml"} <= set(data):
        return data
    vector = len(gzip.compress(data["image/svg+xml"].encode()))
    raster = len(data["image/png"]) * 3 / 4
    left_out = "image/png" if vector < SVG_MAY_BE_LARGER * raster else "image/svg+xml"
    return {form: content for form, content in data.items() if form != left_out}
