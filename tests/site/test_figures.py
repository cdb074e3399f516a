"""Figures can be seen: in light and dark, sharp, with words for those who do not see them."""

import re
from pathlib import Path

import matplotlib.style
import pytest

from dark_figures import INK, PAPER, darkened
from figure_words import LEAST_WORDS
from page_source import list_pages

ROOT = Path(__file__).parents[2]
PAGES = [page.docname for page in list_pages(ROOT)]
WITHOUT_FIGURES = {"howto/make-training-fast"}
PICTURES = ".bd-article img"
# Grids, and lines of reference: greys that are as faint on white.
FAINT = ("#b0b0b0", "#bfbfbf", "#999999")
# Of a picture: whether it shows, whether the theme changes its colours, and its words.
FACTS = """images => images.map(image => ({
  source: image.src, alternative: image.alt, shown: image.checkVisibility(),
  filter: getComputedStyle(image).filter,
  caption: image.closest('figure')?.querySelector('figcaption')?.innerText ?? '',
  captionShown: !!image.closest('figure')?.querySelector('figcaption')?.checkVisibility()}))"""


def pictures(browser, address, docname, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{address}{docname}.html", wait_until="load")
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = page.locator(PICTURES).evaluate_all(FACTS)
    page.close()
    return found


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("docname", ["index", *PAGES])
def test_each_theme_shows_its_own_figures_with_their_captions(browser, address, docname, scheme):
    found = pictures(browser, address, docname, scheme)
    assert found or docname in WITHOUT_FIGURES
    vectors = [each for each in found if each["source"].endswith(".svg")]
    for each in vectors:
        assert each["shown"] == (("-dark-" in each["source"]) == (scheme == "dark")), each
    shown = [each for each in found if each["shown"]]
    assert len(shown) == len(found) - len(vectors) / 2
    for each in shown:
        assert each["captionShown"], f"expected a caption under {each}"
        assert len(each["caption"].split()) >= LEAST_WORDS, each
        assert len(each["alternative"].split()) >= LEAST_WORDS, each
        assert each["alternative"] != each["caption"]
        if each["source"].endswith(".svg"):
            assert each["filter"] == "none", f"the theme changes the colours of {each}"


def test_figures_are_sharp(built_site):
    """A PNG, which is only sharp up to twice its size, is the exception."""
    ends = [path.suffix for path in (built_site / "_images").iterdir()]
    assert ends.count(".svg") > 5 * ends.count(".png")


def foreign_colours(svg):
    """Return the colours of an SVG that are neither grey nor of the palette of this site."""
    palette = matplotlib.style.library["tableau-colorblind10"]["axes.prop_cycle"]
    own = {colour.lower() for colour in palette.by_key()["color"]}
    found = set(re.findall(r"#[0-9a-f]{6}\b", svg))
    return {colour for colour in found - own if len(set(re.findall("..", colour[1:]))) > 1}


def test_figures_have_colours_that_colour_blind_eyes_tell_apart(built_site):
    """Those of one palette made for it; colour maps are pictures inside of a figure."""
    figures = [p for p in (built_site / "_images").glob("*.svg") if "-dark-" not in p.name]
    foreign = {path.name: foreign_colours(path.read_text()) for path in figures}
    assert figures
    assert not {name: colours for name, colours in foreign.items() if colours}


def test_colour_of_matplotlibs_own_palette_is_foreign():
    svg = '<path style="stroke: #1f77b4"/><path style="fill: #006ba4; stroke: #808080"/>'
    assert foreign_colours(svg) == {"#1f77b4"}


def test_dark_twin_has_ink_on_paper_and_leaves_data_as_it_is():
    light = (
        '<svg width="9"><path style="fill: #ffffff; stroke: #000000"/>'
        '<path style="fill: #ff800e; stroke: #ababab"/></svg>'
    )
    dark = darkened(light)
    assert f'<svg fill="{INK}"' in dark
    assert f"fill: {PAPER}; stroke: {INK}" in dark
    assert "fill: #ff800e; stroke: #ababab" in dark


def test_svg_whose_black_is_another_colour_is_refused():
    with pytest.raises(ValueError, match="expected an SVG whose root has no `fill`"):
        darkened('<svg fill="red"></svg>')


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_lines_of_dark_twins_stand_out_from_the_paper(built_site):
    """At least 3 to 1, which WCAG 2 asks for graphics (1.4.11), but for grids and frames."""
    faint = {}
    for path in (built_site / "_images").glob("*-dark-*.svg"):
        text = path.read_text()
        for group in re.findall(r'<g id="line2d_\d+">\s*<path [^>]*style="([^"]*)"', text):
            colour = re.search(r"stroke: (#\w{6})", group)
            if colour and "stroke-opacity" not in group:
                lighter, darker = sorted((luminance(colour[1]), luminance(PAPER)), reverse=True)
                if (lighter + 0.05) / (darker + 0.05) < 3:
                    faint.setdefault(colour[1], path.name)
    meant = {darkened(f"<svg>{grey}").partition(">")[2] for grey in FAINT}
    assert not set(faint) - meant, faint
