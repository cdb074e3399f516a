"""A real browser loads every page of the built site: nothing missing, nothing foreign."""

from __future__ import annotations

import pytest
from playwright.sync_api import TimeoutError as NothingHappens

from planting import STYLES, plant
from visits import OF_EACH_KIND, WIDTHS, look, problems_of_parts, show_as, watch

SOON = 10_000  # milliseconds for what should happen at once, on a busy machine too
CONTENTS_IN_VIEW = """() => [...document.querySelectorAll('.bd-sidebar-primary')].some(
  each => each.checkVisibility({visibilityProperty: true}) && each.childElementCount
    && each.getBoundingClientRect().right > 1)"""
pytestmark = pytest.mark.browser
NEURON = "tutorials/a-first-neuron.html"
# What is undone, where it shows, the file, a text in it, what takes its place, what the check says.
FAULTS = [
    (
        "a font of somebody else's",
        ("loading", NEURON),
        (NEURON, "</head>", '<link rel="stylesheet" href="https://fonts.invalid/a.css"></head>'),
        "request leaves the site: https://fonts.invalid/a.css",
    ),
    (
        "a script from a network that delivers them",
        ("loading", NEURON),
        ("_static/copy-page.js*", '"use strict";', 'import("https://cdn.invalid/a.js");'),
        "request leaves the site: https://cdn.invalid/a.js",
    ),
    (
        "a style sheet is not there",
        ("loading", NEURON),
        (NEURON, "_static/all-", "_static/gone-"),
        "/_static/gone-",
    ),
    (
        "the icon is not there",
        ("loading", NEURON),
        (NEURON, "_static/favicon.svg", "_static/gone.svg"),
        "/_static/gone.svg",
    ),
    (
        "a script fails",
        ("loading", NEURON),
        ("_static/copy-page.js*", "document.addEventListener", "documents.addEventListener"),
        "script error: documents is not defined",
    ),
    (
        "the theme's mode is not set, and its script complains",
        ("loading", NEURON),
        (NEURON, "</body>", "<script>console.warn('no such mode')</script></body>"),
        "console warning: no such mode",
    ),
    (
        "a figure is not there",
        ("images", NEURON),
        (NEURON, 'src="../_images/', 'src="../_pictures/'),
        "image does not load: ",
    ),
    (
        "the alternative text is the name of the file",
        ("images", NEURON),
        (NEURON, 'alt="Membrane potential over', 'alt="6a5e.svg" title="Membrane potential over'),
        "expected words as alternative text, got '6a5e.svg'",
    ),
    (
        "an image has no alternative text",
        ("images", NEURON),
        (NEURON, 'alt="Membrane potential over', 'title="Membrane potential over'),
        "expected words as alternative text, got ''",
    ),
    (
        "figures and outputs keep their width on a phone",
        ("width", NEURON),
        (STYLES, "overflow-x: auto", "min-width: 900px"),
        "px wider than the screen",
    ),
    (
        "long names do not break",
        ("width", "reference/api.html"),
        (STYLES, "white-space: normal", "white-space: nowrap"),
        "px wider than the screen",
    ),
    (
        "the theme's magnifying glass is where it was",
        ("words", "search.html"),
        (STYLES, "position: static", "position: absolute"),
        "the magnifying glass lies on the search field",
    ),
    (
        "the theme sets parameters in columns",
        ("words", "reference/api.html"),
        (STYLES, "dd > dl.simple > dt", "dd > dl.elsewhere > dt"),
        "words are set in columns: n_in",
    ),
]


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_every_page_loads_clean_and_fits_the_screen(visit, html_names, device, scheme):
    assert not problems(visit, html_names, device, scheme)


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_pages_of_each_kind_do_so_in_the_other_scheme(visit, device, scheme):
    assert not problems(visit, OF_EACH_KIND, device, scheme)


def problems(visit, names, device, scheme):
    checks = ("loading", "width", "images", "formulas", "words")
    found = {name: visit(name, device, scheme) for name in names}
    return {
        (name, check): found[name][check]
        for name in names
        for check in checks
        if found[name][check]
    }


@pytest.mark.parametrize(("_", "where", "fault", "says"), FAULTS, ids=[each[0] for each in FAULTS])
def test_fault_that_is_planted_in_a_page_is_found(page, address, _, where, fault, says):
    check, name = where
    show_as(page, "phone", "light")
    plant(page, *fault)
    found = look(page, watch(page, address), address + name, with_axe=False)
    assert [problem for problem in found[check] if says in problem], found


BUTTON = '<button class="sidebar-toggle primary-toggle'
MENU_FAULTS = [
    (
        "a hidden twin comes before the button, and scripts bind that",
        ("index.html", BUTTON, f'<button class="primary-toggle" hidden></button>{BUTTON}'),
        "expected the site's contents to move at a click",
    ),
    (
        "the theme's scripts are not loaded",
        ("index.html", "_static/scripts/", "_static/gone/"),
        "expected the site's contents to move at a click",
    ),
    (
        "there is no button",
        ("index.html", BUTTON, '<button class="sidebar-toggle'),
        "expected one button for the site's contents, got 0",
    ),
    (
        "an open menu cannot be left",
        ("_static/scripts/pydata-sphinx-theme.js*", "t.close()", "t.focus()"),
        "expected the site's contents to go back",
    ),
]


@pytest.mark.parametrize("width", [375, 900, 1280])
def test_menu_button_opens_and_closes_the_site_contents(page, address, width):
    assert not menu_problems(page, address, width)


@pytest.mark.parametrize(("_", "fault", "says"), MENU_FAULTS, ids=[each[0] for each in MENU_FAULTS])
def test_fault_that_is_planted_in_the_menu_is_found(page, address, _, fault, says):
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
