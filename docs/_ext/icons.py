"""Keep of the theme's icons those that the site can show: a few dozen of two thousand.

Their names make up a fifth of the theme's style sheet, and the fonts that draw them are larger
than most pages.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections.abc import Set
from functools import cache
from pathlib import Path

import pydata_sphinx_theme
import sphinx_book_theme
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

# It tells every table of a font that it cuts to whoever turned logging on.
logging.getLogger("fontTools").setLevel(logging.WARNING)

THEMES = (pydata_sphinx_theme, sphinx_book_theme)
# What can name an icon. A source map says it all over, and this script draws any icon.
READ = {".html", ".py", ".js", ".md"}
DRAWS_ANY = "fontawesome.js"
_NAME = re.compile(r"\bfa-[a-z0-9-]+")
# An icon, by one name or several, and the character, or two, that a font draws it at.
_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+,?)+)\{--fa:"[^"]*"\}')
_ESCAPED = re.compile(r'"\\([0-9a-f]{2,5})')
_PRIVATE = range(0xE000, 0xF900)  # where fonts have what is not a letter
_FONT = re.compile(r'url\("?([^")]*/fa-[a-z0-9-]+\.woff2)"?\)')


@cache
def names_in(docs: Path) -> frozenset[str]:
    """Return every name that looks like an icon's, in the themes and under a folder."""
    folders = [docs, *(Path(str(theme.__file__)).parent for theme in THEMES)]
    files = (path for folder in folders for path in folder.rglob("*") if path.suffix in READ)
    return frozenset(
        name
        for path in files
        if path.name != DRAWS_ANY and "_build" not in path.parts
        for name in _NAME.findall(path.read_text(encoding="utf8"))
    )


def trimmed(css: str, names: Set[str], folder: Path) -> str:
    """Return a style sheet of `folder` without other icons, and with fonts that lack them too."""

    def kept(match: re.Match[str]) -> str:
        return match[0] if names & set(_NAME.findall(match[1])) else ""

    def smaller(match: re.Match[str]) -> str:
        return f'url("{_cut(folder / match[1], characters).relative_to(folder).as_posix()}")'

    css = _RULE.sub(kept, css)
    characters = frozenset(
        [int(code, 16) for code in _ESCAPED.findall(css)]
        + [ord(letter) for letter in set(css) if ord(letter) in _PRIVATE]
    )
    return _FONT.sub(smaller, css)


def _cut(font: Path, characters: Set[int]) -> Path:
    """Write a font with some of its characters beside it, named for what is in it."""
    options = Options(flavor="woff2", layout_features=[], notdef_outline=True)
    subsetter, drawn = Subsetter(options), TTFont(font, recalcTimestamp=False)
    subsetter.populate(unicodes=characters)
    subsetter.subset(drawn)
    content = io.BytesIO()
    drawn.flavor = "woff2"
    drawn.save(content)
    digest = hashlib.sha256(content.getvalue()).hexdigest()[:8]
    target = font.with_name(f"{font.stem}-{digest}.woff2")
    target.write_bytes(content.getvalue())
    return target
