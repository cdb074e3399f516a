"""Figures can be seen: in light and dark, sharp, with words for those who do not see them."""

import re
from pathlib import Path

import matplotlib.style
import pytest

from figures.dark import DATA, INK, PAPER, darkened
from planting import STYLES, add, faults, give, plant, take
from site_pages import PAGES
from visits import problems_of_parts, show_as

WITHOUT_FIGURES = {"howto/make-training-fast"}
# Grids, and lines of reference: greys that are as faint on white.
FAINT = ("#b0b0b0", "#bfbfbf", "#999999")
NEURON = "tutorials/a-first-neuron.html"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
# What is undone, in which scheme, the file and its change, what is said.
FAULTS = [
    (
        "dark pages show light figures too",
        "dark",
        (STYLES, add("html[data-theme] img.for-light { display: inline !important }")),
        "figure is shown in the dark theme: ",
    ),
    (
        "light pages show dark figures too",
        "light",
        (STYLES, add("html[data-theme] img.for-dark { display: inline !important }")),
        "figure is shown in the light theme: ",
    ),
    (
        "dark pages have no figures",
        "dark",
        (STYLES, add("html[data-theme] img.for-dark { display: none !important }")),
        "figure is hidden in the dark theme: ",
    ),
    (
        "figures have no dark twin",
        "dark",
        (NEURON, take("img.for-dark")),
        "expected one of each pair of figures",
    ),
    (
        "the theme dims figures",
        "dark",
        (STYLES, add("html .bd-article img { filter: brightness(.8) !important }")),
        "the theme changes the colours of ",
    ),
    (
        "captions are left out",
        "light",
        (NEURON, take(".caption-text")),
        "expected a caption of ",
    ),
    (
        "captions cannot be seen",
        "dark",
        (STYLES, add("figcaption { display: none !important }")),
        "expected a caption of ",
    ),
    (
        "alternative texts say nothing",
        "light",
        (NEURON, give("figure img", "alt", "A plot.")),
        "words as alternative text, got 'A plot.'",
    ),
    (
        "pictures have no more pixels than the page",
        "light",
        (NEURON, give("img[src$='.svg']", "src", PIXEL)),
        "pixels of ",
    ),
]


@pytest.mark.browser
@pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_each_theme_shows_its_own_figures_with_their_captions(visits, device, scheme):
    found = visits([f"{docname}.html" for docname in ("index", *PAGES)], device, scheme)
    assert not {
        name: problems["figures"] for name, problems in found.items() if problems["figures"]
    }


@pytest.mark.parametrize("docname", ["index", *PAGES])
def test_page_has_figures(built_site, docname):
    text = (built_site / f"{docname}.html").read_text(encoding="utf8")
    assert ("<figure" in text) == (docname not in WITHOUT_FIGURES)


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "fault", "says"), faults(FAULTS))
def test_fault_that_is_planted_in_figures_is_found(page, address, scheme, fault, says):
    show_as(page, "desktop", scheme)
    plant(page, *fault)
    page.goto(address + NEURON, wait_until="load")
    found = problems_of_parts(page)["figures"]
    assert [problem for problem in found if says in problem], found


def test_figures_are_sharp(built_site):
    """A PNG, which is only sharp up to twice its size, is the exception."""
    assert not blurred(path.name for path in (built_site / "_images").iterdir())


def test_site_whose_figures_are_pixels_is_found(built_site):
    names = [path.name for path in (built_site / "_images").iterdir()]
    assert "expected more than" in blurred(name.replace(".svg", ".png") for name in names)


def blurred(names):
    """Say that too many of the pictures are made of pixels, or nothing."""
    ends = [Path(name).suffix for name in names]
    vectors, pixels = ends.count(".svg"), ends.count(".png")
    return "" if vectors > 5 * pixels else f"expected more than {5 * pixels} SVG, got {vectors}"


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


def faint_lines(texts):
    """Return the colours of lines that do not stand out from dark paper, with a file of each."""
    faint = {}
    for name, text in texts.items():
        for group in re.findall(r'<g id="line2d_\d+">\s*<path [^>]*style="([^"]*)"', text):
            colour = re.search(r"stroke: (#\w{6})", group)
            if colour and "stroke-opacity" not in group:
                lighter, darker = sorted((luminance(colour[1]), luminance(PAPER)), reverse=True)
                if (lighter + 0.05) / (darker + 0.05) < 3:
                    faint.setdefault(colour[1], name)
    meant = {darkened(f"<svg>{grey}").partition(">")[2] for grey in FAINT}
    return {colour: name for colour, name in faint.items() if colour not in meant}


def dark_twins(site):
    found = {path.name: path.read_text() for path in (site / "_images").glob("*-dark-*.svg")}
    assert found
    return found


def test_lines_of_dark_twins_stand_out_from_the_paper(built_site):
    """At least 3 to 1, which WCAG 2 asks for graphics (1.4.11), but for grids and frames."""
    assert not faint_lines(dark_twins(built_site))


@pytest.mark.parametrize("colour", faults((each, each) for each in ("#404040", "#30306a", PAPER)))
def test_line_that_is_as_dark_as_the_paper_is_found(built_site, colour):
    blue, twins = DATA["#006ba4"], dark_twins(built_site)
    changed = {name: text.replace(blue, colour) for name, text in twins.items()}
    assert set(faint_lines(changed)) == {colour}
