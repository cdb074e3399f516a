"""Render formulas as MathML while building: no script, no font and no request to load."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
NAMESPACE = "http://www.w3.org/1998/Math/MathML"
# Elements that mean something else, or nothing, with another number of children.
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "mroot": 2}
CHILDREN |= {"msubsup": 3, "munderover": 3}
# Environments that latex2mathml reads wrongly or numbers itself, and what to write instead.
ENVIRONMENTS = {"aligned": "split", "align": "align*", "gather": "gather*", "equation": "equation*"}

ElementTree.register_namespace("", NAMESPACE)


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_markup(node, "inline") + "</span>")
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f'<div class="formula">{_markup(node, "block")}</div></div>\n')
    raise nodes.SkipNode


def _markup(node: nodes.Element, display: str) -> str:
    latex = node.astext().strip()
    try:
        return to_mathml(latex, display)
    except ValueError as error:
        LOGGER.warning("%s", error, location=node, type="mathml")
        return ""


def to_mathml(latex: str, display: str) -> str:
    r"""Convert LaTeX to a `<math>` element with the LaTeX as its alternative text.

    Raises
    ------
    ValueError
        For LaTeX that cannot be shown whole. The converter passes on unknown commands,
        stray `&` and unbalanced braces without a word; here they are errors.
    """
    source = re.sub(r"\\(begin|end)\{(\w+)\}", _known_environment, latex)
    if r"\\" in source and r"\begin" not in source:
        source = rf"\begin{{split}}{source}\end{{split}}"
    try:
        math = ElementTree.fromstring(convert(source, display=display))
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"cannot convert the formula {latex!r} to MathML: {reason}") from error
    for element in math.iter():
        name, text = element.tag.removeprefix(f"{{{NAMESPACE}}}"), element.text or ""
        # A brace that was asked for, as in \{, is an operator; a stray one an identifier.
        if name == "mi" and (text in {"&", "{", "}"} or (text[:1] == "\\" and len(text) > 1)):
            raise ValueError(f"cannot convert {text!r} in the formula {latex!r} to MathML")
        if len(element) != CHILDREN.get(name, len(element)):
            raise ValueError(f"the formula {latex!r} lacks an argument or a brace")
    math.set("alttext", latex)
    return ElementTree.tostring(math, encoding="unicode")


def _known_environment(match: re.Match[str]) -> str:
    command, name = match.groups()
    return rf"\{command}{{{ENVIRONMENTS.get(name, name)}}}"
