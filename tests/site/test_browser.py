"""A real browser loads every page of the built site: nothing missing, nothing foreign."""

from __future__ import annotations

import pytest
from playwright.sync_api import TimeoutError as NothingHappens

from planting import STYLES, add, faults, give, plant, put_before, put_into, rename, swap, take
from visits import OF_EACH_KIND, WIDTHS, look, problems_of_parts, show_as, watch

SOON = 10_000  # milliseconds for what should happen at once, on a busy machine too
CONTENTS_IN_VIEW = """() => [...document.querySelectorAll('.bd-sidebar-primary')].some(
  each => each.checkVisibility({visibilityProperty: true}) && each.childElementCount
    && each.getBoundingClientRect().right > 1)"""
pytestmark = pytest.mark.browser
NEURON = "tutorials/a-first-neuron.html"
# What is undone, by which check and page that shows, the file and its change, what the check says.
FAULTS = [
    (
        "a font of somebody else's",
        ("loading", NEURON),
        (NEURON, put_into("head", '<link rel="stylesheet" href="https://fonts.invalid/a.css">')),
        "request leaves the site: https://fonts.invalid/a.css",
    ),
    (
        "a script from a network that delivers them",
        ("loading", NEURON),
        ("_static/copy-page.js*", add('import("https://cdn.invalid/a.js");')),
        "request leaves the site: https://cdn.invalid/a.js",
    ),
    (
        "a style sheet is not there",
        ("loading", NEURON),
        (NEURON, give("link[rel=stylesheet]", "href", "../_static/gone.css")),
        "/_static/gone.css",
    ),
    (
        "the icon is not there",
        ("loading", NEURON),
        (NEURON, give("link[rel=icon]", "href", "../_static/gone.svg")),
        "/_static/gone.svg",
    ),
    (
        "a script fails",
        ("loading", NEURON),
        ("_static/copy-page.js*", add("documents.nothing;")),
        "script error: documents is not defined",
    ),
    (
        "the theme's mode is not set, and its script complains",
        ("loading", NEURON),
        (NEURON, put_into("body", "<script>console.warn('no such mode')</script>")),
        "console warning: no such mode",
    ),
    (
        "a figure is not there",
        ("images", NEURON),
        (NEURON, give("figure img", "src", "../_images/gone.svg")),
        "image does not load: ",
    ),
    (
        "the alternative text is the name of the file",
        ("images", NEURON),
        (NEURON, give("figure img", "alt", "6a5e.svg")),
        "expected words as alternative text, got '6a5e.svg'",
    ),
    (
        "an image has no alternative text",
        ("images", NEURON),
        (NEURON, take("figure img", "alt")),
        "expected words as alternative text, got ''",
    ),
    (
        "figures keep their width on a phone",
        ("width", NEURON),
        (STYLES, add("figure { min-width: 900px }")),
        "px wider than the screen",
    ),
    (
        "long names do not break",
        ("width", "reference/api.html"),
        (STYLES, add("dt.sig * { white-space: nowrap !important }")),
        "px wider than the screen",
    ),
    (
        "formulas are left as LaTeX",
        ("formulas", NEURON),
        (NEURON, rename("math", "span")),
        "formula is not drawn: ",
    ),
    (
        "the theme's magnifying glass is where it was",
        ("words", "search.html"),
        (STYLES, add(".bd-search i { position: absolute !important }")),
        "the magnifying glass lies on the search field",
    ),
    (
        "the theme sets parameters in columns",
        ("words", "reference/api.html"),
        (STYLES, add("dl.simple > dt { display: flex !important }")),
        "words are set in columns: n_in",
    ),
]


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_every_page_loads_clean_and_fits_the_screen(visits, html_names, device, scheme):
    assert not problems(visits, html_names, device, scheme)


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_pages_of_each_kind_do_so_in_the_other_scheme(visits, device, scheme):
    assert not problems(visits, OF_EACH_KIND, device, scheme)


def problems(visits, names, device, scheme):
    checks = ("loading", "width", "images", "formulas", "words")
    found = visits(names, device, scheme)
    return {
        (name, check): found[name][check]
        for name in names
        for check in checks
        if found[name][check]
    }


@pytest.mark.parametrize(
    ("where", "fault", "says"), faults(FAULTS, check=lambda where, *_: where[0])
)
def test_fault_that_is_planted_in_a_page_is_found(page, address, where, fault, says):
    check, name = where
    show_as(page, "phone", "light")
    plant(page, *fault)
    found = look(page, watch(page, address), address + name, with_axe=False)
    assert [problem for problem in found[check] if says in problem], found


BUTTON = "button.primary-toggle.sidebar-toggle"
TWIN = '<button class="primary-toggle" hidden></button>'
MENU_FAULTS = [
    (
        "a hidden twin comes before the button, and scripts bind that",
        ("index.html", put_before(BUTTON, TWIN)),
        "expected the site's contents to move at a click",
    ),
    (
        "the theme's scripts are not loaded",
        ("index.html", give("script[src*=-theme]", "src", "_static/gone.js")),
        "expected the site's contents to move at a click",
    ),
    (
        "there is no button",
        ("index.html", take(BUTTON)),
        "expected one button for the site's contents, got 0",
    ),
    (
        "an open menu cannot be left",
        ("_static/scripts/pydata-sphinx-theme.js*", swap("t.close()", "t.focus()")),
        "expected the site's contents to go back",
    ),
]


@pytest.mark.parametrize("width", [375, 900, 1280])
def test_menu_button_opens_and_closes_the_site_contents(page, address, width):
    assert not menu_problems(page, address, width)


@pytest.mark.parametrize(("fault", "says"), faults(MENU_FAULTS))
def test_fault_that_is_planted_in_the_menu_is_found(page, address, fault, says):
    plant(page, *fault)
    found = menu_problems(page, address, WIDTHS["phone"], wait=1000)
    assert [problem for problem in found if says in problem], found


def menu_problems(page, address, width, wait=SOON):
    """Return what is wrong with the button that opens and closes the site's contents."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    page.goto(address + "index.html", wait_until="load")
    button = page.locator("button.primary-toggle:visible")
    if button.count() != 1:
        return [f"expected one button for the site's contents, got {button.count()}"]
    before = page.evaluate(CONTENTS_IN_VIEW)
    button.click()
    if not moves(page, before, wait):
        return ["expected the site's contents to move at a click, they stay"]
    # On a narrow screen the contents lie over the button.
    if page.locator("dialog[open]").count():
        page.keyboard.press("Escape")
    else:
        button.click()
    if not moves(page, not before, wait):
        return ["expected the site's contents to go back where they were, they stay"]
    return []


def moves(page, before, wait):
    """Whether the site's contents come into view, or leave it, soon."""
    try:
        page.wait_for_function(
            f"before => ({CONTENTS_IN_VIEW})() !== before", arg=before, timeout=wait
        )
    except NothingHappens:
        return False
    return True


def test_site_opens_from_the_file_system(page, built_site):
    found = watch(page, "file://")
    page.goto((built_site / "index.html").as_uri(), wait_until="load")
    parts = problems_of_parts(page)
    assert not [*found, *parts["width"], *parts["images"]]
