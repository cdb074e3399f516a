"""Check that every figure has alternative text and a caption."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
LEAST_WORDS = 6
OPTIONS = """

---
mystnb:
  image:
    alt: What is in the picture, for those who do not see it.
  figure:
    caption: What to see in it.
    name: fig-some-name
---"""


def _captions(image: nodes.Node) -> list[nodes.caption]:
    """Return the captions of the figure around an image, however deep it lies in it."""
    around = image.parent
    while around is not None and not isinstance(around, nodes.figure):
        around = around.parent
    return list(around.findall(nodes.caption)) if around else []


def check_words(app: Sphinx, doctree: nodes.document) -> None:
    """Warn of figures without alternative text or caption, with the options that give both."""
    for output in doctree.findall(nodes.container):
        if output.get("nb_element") != "cell_code_output":
            continue
        for image in output.findall(nodes.image):
            captions = _captions(image)
            for what, words in (
                ("alternative text", image.get("alt", "")),
                ("a caption", captions[0].astext() if captions else ""),
            ):
                if len(words.split()) < LEAST_WORDS:
                    LOGGER.warning(
                        "expected %s of at least %d words for the figure of this cell, got %r; "
                        "begin the cell with:%s",
                        what,
                        LEAST_WORDS,
                        words,
                        OPTIONS,
                        location=output.parent,
                    )
