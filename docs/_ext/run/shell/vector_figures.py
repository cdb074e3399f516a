"""Give figures of a page as SVG beside the PNG that a kernel makes by itself.

A kernel that runs a page loads this as an extension. It changes nothing else: pasted elsewhere,
cells draw the same.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

# Points beyond which a picture of a line or of a cloud is smaller than its outline.
DENSE = 2000


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the format; by name, so that this does not load matplotlib."""
    assert shell.display_formatter, "a shell that runs cells shows what they give"
    formatters = shell.display_formatter.formatters
    # After the PNG: a layout moves with every drawing, and a reader's figure is the first one.
    formatters["image/svg+xml"] = formatter = formatters.pop("image/svg+xml")
    formatter.for_type_by_name("matplotlib.figure", "Figure", to_svg)
    forget = formatter.pop

    def forget_others(kind: Any, default: Any = None) -> Any:
        """Keep this one where matplotlib's backend for notebooks drops all that it did not set."""
        return default if getattr(kind, "__name__", "") == "Figure" else forget(kind, default)

    formatter.pop = forget_others


def to_svg(figure: Figure) -> str:
    """Draw a figure as SVG, its dense parts as pictures."""
    import matplotlib as mpl

    dense = [artist for artist in figure.findobj(_is_dense) if not artist.get_rasterized()]
    for artist in dense:
        artist.set_rasterized(True)
    file = io.BytesIO()
    # The same names of parts, and no date: the same figure gives the same file.
    plain: dict[str, Any] = {"metadata": {"Date": None, "Creator": None}, "bbox_inches": "tight"}
    try:
        with mpl.rc_context({"svg.hashsalt": "figure"}):
            figure.savefig(file, format="svg", dpi=2 * figure.dpi, **plain)
    finally:
        for artist in dense:
            artist.set_rasterized(False)
    return file.getvalue().decode()


def _is_dense(artist: Artist) -> bool:
    from matplotlib.collections import Collection, QuadMesh
    from matplotlib.lines import Line2D

    if isinstance(artist, Line2D):
        return len(np.asarray(artist.get_xydata())) > DENSE
    if isinstance(artist, QuadMesh):
        return True
    if isinstance(artist, Collection):
        corners = sum(len(path) for path in artist.get_paths())
        return max(len(np.asarray(artist.get_offsets())), corners) > DENSE
    return False
