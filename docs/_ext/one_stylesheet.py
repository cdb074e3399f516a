"""Serve the style sheets of a page as one: a page waits for each, and for what it imports.

The theme has eight, and writes them into the head; the template `layout.html` passes them
through here.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import icons
from whole_file import write_whole

_LINK = re.compile(r'<link\b[^>]*\brel="stylesheet"[^>]*>')
_NAME = re.compile(r'\bhref="[^"?]*_static/([^"?]+)([^"]*)"')
_IMPORT = re.compile(r'@import\s+"([^":]+)"\s*;')
_CHARSET = re.compile(r'@charset\s+"[^"]*"\s*;')
# An address beside the style sheet: neither whole, nor the data itself.
_ADDRESS = re.compile(r"""\burl\((["']?)(?![a-z]+:|[/#%"'])([^"')]+)\1\)""")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", offer)
    # The theme and myst-nb write some of theirs when everything else is done.
    app.connect("build-finished", write, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def offer(app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give templates the function that puts one style sheet in the place of several."""

    def one_stylesheet(markup: str) -> str:
        links = [tag for tag in _LINK.findall(markup) if _NAME.search(tag) and "media=" not in tag]
        found = [match for tag in links if (match := _NAME.search(tag))]
        if not found:
            raise ExtensionError(f"expected links to style sheets in {docname}, got {markup!r}")
        name = _noted(Path(app.outdir, "_static"), [match[1] for match in found])
        # They come with digests of what is in them.
        digest = _hash([match[1] + match[2] for match in found] + sorted(_icons(app)))
        # Through the context, since the page for missing addresses changes this function.
        address = context["pathto"](f"_static/{name}", 1)
        markup = markup.replace(links[0], f'<link rel="stylesheet" href="{address}?v={digest}" />')
        for tag in links[1:]:
            markup = markup.replace(tag, "")
        return markup

    context["one_stylesheet"] = one_stylesheet


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write each style sheet that pages ask for, of those that its last line names."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    for path in static.glob("all-*.css"):
        last = path.read_text(encoding="utf8").splitlines()[-1]
        parts = [static / name for name in last.strip("/* ").split()]
        missing = [str(part) for part in parts if not part.exists()]
        if missing:
            raise ExtensionError(f"expected style sheets {missing}; build again from nothing")
        css = "\n".join(text_of(part, static) for part in parts)
        css = icons.trimmed(css, _icons(app), static)
        write_whole(path, f'@charset "utf-8";\n{css}\n{last}\n'.encode())


def _icons(app: Sphinx) -> frozenset[str]:
    return icons.names_in(Path(app.srcdir))


def _noted(static: Path, names: Sequence[str]) -> str:
    """Return the name of one style sheet for these; until the end of a build it only lists them.

    In a file, since pages may be written in several processes.
    """
    name = f"all-{_hash(names)}.css"
    if not (static / name).exists():
        write_whole(static / name, f"/* {' '.join(names)} */\n".encode())
    return name


def _hash(words: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:8]


def text_of(path: Path, folder: Path) -> str:
    """Return a style sheet with what it imports, as it reads in another folder."""

    def imported(match: re.Match[str]) -> str:
        return text_of((path.parent / match[1]).resolve(), folder)

    def moved(match: re.Match[str]) -> str:
        target = os.path.relpath(path.parent / match[2], folder).replace(os.sep, "/")
        return f'url("{target}")'

    text = _CHARSET.sub("", path.read_text(encoding="utf8"))
    # Addresses first: what is imported comes with its own already moved.
    return _IMPORT.sub(imported, _ADDRESS.sub(moved, text))
