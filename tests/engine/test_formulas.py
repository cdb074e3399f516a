"""Formulas become whole MathML, or an error that names the formula."""

import pytest

from pages.formulas import to_mathml

GOOD = {
    r"\frac{a}{b}": "<mfrac>",
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}": "<mtable",
    r"\begin{align} a &= b \\ c &= d \end{align}": "<mtable",
    r"a &= b \\ c &= d": "<mtable",
    r"\begin{cases} 1 & x \ge 0 \\ 0 & \text{else} \end{cases}": "<mtable",
    r"\left\{ x \right\}": "<mo",
    r"\{0, 1\}": "<mo",
    r"\sum_{t=1}^{T} \hat{y}_t": "<munderover>",
}
BAD = [r"\foo{x}", r"\frac{a", r"\frac{a}", r"x_{", "x}", "a & b", r"\left( x"]


@pytest.mark.parametrize("latex", GOOD)
def test_formula_is_converted_with_its_latex_as_alternative_text(latex):
    markup = to_mathml(latex, "block")
    assert GOOD[latex] in markup
    assert "alttext=" in markup
    assert 'display="block"' in markup
    assert "(1)" not in markup, "Sphinx numbers equations, the converter must not"


@pytest.mark.parametrize("latex", BAD)
def test_formula_that_would_be_mangled_is_an_error(latex):
    with pytest.raises(ValueError, match="formula"):
        to_mathml(latex, "inline")
