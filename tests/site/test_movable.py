"""Figures that a reader moves: by keyboard, to what the page computed, in both schemes."""

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_output

from figures import movable
from figures.movable import FOLDER, LIBRARY, MIME, FigureError, show
from planting import faults, plant, swap
from run.store import PageStore
from visits import soon

ROOT = Path(__file__).parents[2]
browser_test = pytest.mark.browser


@dataclass(frozen=True)
class Movable:
    """A figure to move: where it is, and which columns of which table it draws as a line.

    `keys` go to the control `signal` one after the other; then it has the value `then`. The axes
    that `logarithmic` names are not linear.
    """

    docname: str
    signal: str
    table: str
    x: str
    y: str
    keys: tuple[str, ...]
    then: float | str
    logarithmic: str = ""


FIGURES = {
    "fig-neuron-current": Movable(
        "tutorials/a-first-neuron",
        "current",
        *("potential", "time", "potential"),
        keys=("ArrowRight", "ArrowRight", "End", "ArrowLeft", "ArrowDown"),
        then=2.8,
    ),
    "fig-surrogates-learning": Movable(
        "howto/surrogate-gradients",
        "full_width",
        *("one_seed", "epoch", "accuracy"),
        keys=("ArrowDown", "ArrowUp", "ArrowUp"),
        then=0.05,
    ),
    "fig-images-price": Movable(
        "tutorials/train-on-real-images",
        "price",
        *("paths", "spikes", "accuracy"),
        keys=("ArrowDown", "ArrowUp", "ArrowDown", "End"),
        then=0.1,
        logarithmic="x",
    ),
    "fig-memory-base": Movable(
        "howto/long-rollouts",
        "steps",
        *("law", "base", "memory"),
        keys=("ArrowRight", "ArrowRight", "End", "ArrowLeft", "ArrowDown"),
        then=3584,
        logarithmic="xy",
    ),
}
EACH_FIGURE = faults((name, name) for name in FIGURES)  # planted in one of them, or in all
SCRIPT = "_static/movable.js*"
LINES = """figure => [...figure.querySelectorAll('.movable-live .mark-line path')].map(
  path => path.getAttribute('d'))"""
COLOURS = """figure => [...figure.querySelectorAll('.movable-live .mark-line path')].map(
  path => path.getAttribute('stroke'))"""
PICTURES = """figure => [...figure.querySelectorAll('img')].filter(
  image => image.checkVisibility({visibilityProperty: true})).length"""
HEIGHT = "figure => figure.getBoundingClientRect().height"
NUMBER = r"-?[\d.]+(?:e-?\d+)?"


def tables(name):
    """The data that the page computed for a figure, from its stored run."""
    run = PageStore.of(ROOT).last(FIGURES[name].docname)
    found = [
        out.data[MIME]
        for cell in run.notebook.cells
        for out in cell.outputs
        if "data" in out and MIME in out.data
    ]
    fields = FIGURES[name]
    (table,) = (each[fields.table] for each in found if fields.signal in each.get(fields.table, {}))
    return {column: np.asarray(values) for column, values in table.items()}


def is_drawn(path, x, y):
    """Whether a path goes through points, in some scale on each axis, to half a pixel."""
    corners = np.array(re.findall(rf"[ML]({NUMBER}),({NUMBER})", path), float)
    if len(corners) != len(x):
        return False
    for pixels, data in zip(corners.T, (x, y), strict=True):
        fit = np.polynomial.Polynomial.fit(data, pixels, 1)
        if abs(fit(data) - pixels).max() > 0.5:
            return False
    return True


def at(name, value):
    """The points of the line at a position, as its axes have them.

    What else can be moved is where it begins.
    """
    fields, table = FIGURES[name], tables(name)
    position = first_positions(name) | {fields.signal: value}
    for axis in (fields.x, fields.y):
        position.pop(axis, None)
    there = np.all([table[signal] == where for signal, where in position.items()], axis=0)
    x, y = table[fields.x][there], table[fields.y][there]
    scales = [np.log if axis in fields.logarithmic else np.asarray for axis in "xy"]
    return scales[0](x), scales[1](y)


def first_positions(name):
    params = json.loads((ROOT / FOLDER / f"{name}.json").read_text(encoding="utf8"))["params"]
    return {each["name"]: each["value"] for each in params}


def first_position(name):
    return first_positions(name)[FIGURES[name].signal]


def control(page, name):
    fields = page.locator(f"#{name} .movable-controls :is(input, select)")
    return fields.nth(list(first_positions(name)).index(FIGURES[name].signal))


def opened(browser, start, name, **options):
    """A page with a figure that is live; `start` is where the site is."""
    page = browser.new_page(**options)
    return live(page, start, name)


def live(page, start, name):
    page.goto(f"{start}{FIGURES[name].docname}.html", wait_until="load")
    figure = page.locator(f"#{name}")
    figure.scroll_into_view_if_needed()
    page.wait_for_function(f"document.querySelector('#{name}.is-live .movable-live svg')")
    return page


def reach(page, name):
    """Go to what moves a figure by keyboard alone, from the first thing that takes the focus."""
    target = control(page, name)
    for _ in range(400):
        if target.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach what moves {name}")


def press(page, name):
    control(page, name).focus()
    for key in FIGURES[name].keys:
        page.keyboard.press(key)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")


def drawn(page, name):
    return page.locator(f"#{name}").evaluate(LINES)


def shows(page, name, value, within=10.0):
    """Whether a figure comes to draw, `within` seconds, what the page computed for a value."""
    line = at(name, value)
    return soon(lambda: any(is_drawn(path, *line) for path in drawn(page, name)), within)


@browser_test
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("place", ["server", "folder"])
def test_keys_move_a_figure_to_what_the_page_computed(browser, address, built_site, name, place):
    start = address if place == "server" else f"{built_site.as_uri()}/"
    page = browser.new_page()
    foreign = []
    page.on("request", lambda request: foreign.append(request.url))
    live(page, start, name)
    assert shows(page, name, first_position(name))
    reach(page, name)
    press(page, name)
    assert control(page, name).input_value() == str(FIGURES[name].then)
    assert shows(page, name, FIGURES[name].then)
    assert not shows(page, name, first_position(name), within=0)
    page.close()
    assert not [url for url in foreign if not url.startswith((start, "data:", "blob:"))]


@browser_test
@pytest.mark.parametrize("name", EACH_FIGURE)
def test_figure_that_does_not_follow_its_control_is_found(browser, address, name):
    page = browser.new_page()
    plant(page, SCRIPT, swap("view.signal(name, value)", "view"))
    live(page, address, name)
    press(page, name)
    assert control(page, name).input_value() == str(FIGURES[name].then)
    assert not shows(page, name, FIGURES[name].then, within=1)
    page.close()


@browser_test
@pytest.mark.parametrize("name", EACH_FIGURE)
def test_figure_with_other_data_than_the_page_computed_is_found(browser, address, name):
    page = browser.new_page()
    other = "table[name].at(row * 2 % table[name].length)"
    plant(page, SCRIPT, swap("table[name][row]", other))
    live(page, address, name)
    assert not shows(page, name, first_position(name), within=1)
    page.close()


@browser_test
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_without_scripts_the_picture_is_there_and_nothing_to_move(browser, address, name, scheme):
    page = browser.new_page(java_script_enabled=False, color_scheme=scheme)
    page.goto(f"{address}{FIGURES[name].docname}.html", wait_until="load")
    figure = page.locator(f"#{name}")
    assert figure.locator("img:visible").count() == 1
    assert figure.locator("input, select, svg").count() == 0
    page.close()


@browser_test
@pytest.mark.parametrize("name", FIGURES)
def test_where_the_library_does_not_come_the_picture_stays(browser, address, name):
    page = browser.new_page()
    page.route(f"**/{LIBRARY}", lambda route: route.abort())
    page.goto(f"{address}{FIGURES[name].docname}.html", wait_until="load")
    page.locator(f"#{name}").scroll_into_view_if_needed()
    page.locator(f"#{name} .movable-controls").wait_for(state="detached")
    assert page.locator(f"#{name}").evaluate(PICTURES) == 1
    page.close()


def grows(page, start, name):
    """Whether a figure changes its height when the library comes, which it does late."""
    asked = []
    page.route(f"**/{LIBRARY}", lambda route: asked.append(route))
    page.goto(f"{start}{FIGURES[name].docname}.html", wait_until="load")
    figure = page.locator(f"#{name}")
    figure.scroll_into_view_if_needed()
    assert soon(lambda: page.evaluate("1") and asked)  # what a page asks is heard in a call to it
    before = figure.evaluate(HEIGHT)
    asked[0].continue_()
    page.wait_for_function(f"document.querySelector('#{name}.is-live .movable-live svg')")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    return abs(figure.evaluate(HEIGHT) - before) > 1


@browser_test
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", FIGURES)
def test_nothing_moves_when_a_figure_becomes_live(browser, address, name, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    assert not grows(page, address, name)
    pictures, places = (page.locator(f"#{name} .movable-live {each}") for each in ("svg", "> div"))
    for picture, place in zip(pictures.all(), places.all(), strict=True):
        # One line of a legend may be gone.
        assert -0.5 < place.bounding_box()["height"] - picture.bounding_box()["height"] < 25
    page.close()


@browser_test
@pytest.mark.parametrize("name", EACH_FIGURE)
def test_figure_without_room_for_the_live_one_is_found(browser, address, name):
    page = browser.new_page(viewport={"width": 375, "height": 800})
    plant(page, SCRIPT, swap("place.style.height", "place.dataset.height"))
    assert grows(page, address, name)
    page.close()


@browser_test
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_live_figure_takes_the_place_of_its_picture_but_on_paper(browser, address, name, scheme):
    page = opened(browser, address, name, color_scheme=scheme)
    figure = page.locator(f"#{name}")
    assert figure.evaluate(PICTURES) == 0
    assert figure.locator(".movable-live svg").first.is_visible()
    page.emulate_media(media="print")
    assert figure.evaluate(PICTURES) == 1
    assert figure.locator("img:visible").get_attribute("class").split().count("for-light") == 1
    assert not figure.locator(".movable-live svg, input, select").first.is_visible()
    page.close()


def recoloured(page, name, within=10.0):
    """Whether another theme changes the colours of a figure that was moved, and not its place."""
    press(page, name)
    before = page.locator(f"#{name}").evaluate(COLOURS)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    changed = soon(lambda: page.locator(f"#{name}").evaluate(COLOURS) != before, within)
    assert control(page, name).input_value() == str(FIGURES[name].then)
    assert shows(page, name, FIGURES[name].then)
    return changed


@browser_test
@pytest.mark.parametrize("name", FIGURES)
def test_another_theme_recolours_a_figure_and_leaves_it_where_it_is(browser, address, name):
    page = opened(browser, address, name, color_scheme="light")
    assert recoloured(page, name)
    page.close()


@browser_test
@pytest.mark.parametrize("name", EACH_FIGURE)
def test_figure_that_another_theme_does_not_recolour_is_found(browser, address, name):
    page = browser.new_page(color_scheme="light")
    plant(page, SCRIPT, swap('["data-theme"]', '["data-other"]'))
    assert not recoloured(live(page, address, name), name, within=1)
    page.close()


@browser_test
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("name", FIGURES)
def test_axe_finds_nothing_in_a_live_figure_and_it_fits(browser, address, name, width, scheme):
    size = {"width": width, "height": 800}
    page = opened(browser, address, name, viewport=size, color_scheme=scheme)
    assert not violations(page, name)
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    figure = page.locator(f"#{name}")
    assert figure.evaluate("each => each.scrollWidth <= each.clientWidth")
    control(page, name).focus()
    page.keyboard.press("ArrowRight")  # as somebody with a keyboard, who is shown the focus
    assert control(page, name).evaluate("each => getComputedStyle(each).outlineStyle") != "none"
    page.close()


def violations(page, name):
    found = Axe().run(page, context=f"#{name}").response["violations"]
    return {each["id"]: [node["html"][:160] for node in each["nodes"]] for each in found}


# A slider, a menu.
WORDLESS = swap("textContent: control.name", "className: control.name"), {"label", "select-name"}
NAMELESS = (
    swap('live.setAttribute("aria-label"', 'live.setAttribute("data-label"'),
    {"role-img-alt"},
)


@browser_test
@pytest.mark.parametrize(
    ("name", "edit", "rules"),
    faults(
        (f"{name}: {what}", name, *fault)
        for name in FIGURES
        for what, fault in (("a control without words", WORDLESS), ("no name", NAMELESS))
    ),
)
def test_axe_finds_a_live_figure_or_a_control_without_words_when_planted(
    browser, address, name, edit, rules
):
    page = browser.new_page()
    plant(page, SCRIPT, edit)
    assert rules & violations(live(page, address, name), name).keys()
    page.close()


@browser_test
def test_library_comes_only_where_a_figure_to_move_comes_into_view(browser, address, built_site):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    docnames = {fields.docname for fields in FIGURES.values()}
    for path in built_site.rglob("*.html"):
        docname = path.relative_to(built_site).with_suffix("").as_posix()
        has = "movable.js" in path.read_text(encoding="utf8")
        assert has == (docname in docnames), docname
    name = next(iter(FIGURES))
    page.goto(f"{address}{FIGURES[name].docname}.html", wait_until="networkidle")
    assert not [url for url in asked if LIBRARY in url]
    live(page, address, name)
    assert [url for url in asked if LIBRARY in url]
    page.close()


def test_library_and_data_are_small_as_a_server_sends_them(built_site):
    library = (built_site / "_static" / LIBRARY).read_bytes()
    assert len(gzip.compress(library)) < 320_000
    for name, fields in FIGURES.items():
        html = (built_site / f"{fields.docname}.html").read_text(encoding="utf8")
        (part,) = re.findall(rf'id="{name}".*?(<div class="movable">.*?</div>)', html, re.DOTALL)
        assert len(gzip.compress(part.encode())) < 60_000, name


@pytest.mark.parametrize("name", FIGURES)
def test_words_say_what_can_be_moved(built_site, name):
    html = (built_site / f"{FIGURES[name].docname}.html").read_text(encoding="utf8")
    alternative = re.search(rf'id="{name}".*?alt="([^"]*)"', html, re.DOTALL)[1]
    assert re.search(r"\b(slider|menu)s?\b", alternative)


def test_every_specification_is_shown_and_tested():
    assert {path.stem for path in (ROOT / FOLDER).glob("*.json")} == set(FIGURES)


LINE = {"mark": "line", "encoding": {"x": {"field": "x", "type": "quantitative"}}}
TWO_PANELS = {
    "data": {"name": "curves"},
    "transform": [{"filter": "datum.kind == kind"}],
    "params": [
        {
            "name": "kind",
            "value": "flat",
            "bind": {"input": "select", "options": ["flat", "steep"], "name": "Kind"},
        }
    ],
    "hconcat": [
        {**LINE, "encoding": {**LINE["encoding"], "y": {"field": y, "type": "quantitative"}}}
        for y in ("up", "down")
    ],
}
CURVES = {
    "kind": ["flat"] * 3 + ["steep"] * 3,
    "x": [0, 1, 2] * 2,
    "up": [0, 1, 2, 0, 1, 4],
    "down": [0, -1, -2, 0, -1, -4],
}


def made(root, specification, tables):
    """A cell of a figure to move, shown."""
    path = root / FOLDER / "fig-made.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(specification))
    cell = new_code_cell(metadata={"mystnb": {"figure": {"name": "fig-made"}}})
    show(root, cell, new_code_cell(outputs=[new_output("display_data", {MIME: tables})]))
    return cell


def test_a_figure_is_drawn_again_only_where_what_it_is_made_from_has_changed(tmp_path, monkeypatch):
    times = []
    drawn_before = movable._drawn
    monkeypatch.setattr(movable, "_drawn", lambda *parts: times.append(1) or drawn_before(*parts))
    monkeypatch.setattr(PageStore, "of", lambda root: PageStore(tmp_path / "store"))
    first = made(tmp_path / "a", TWO_PANELS, {"curves": CURVES})
    again = made(tmp_path / "b", TWO_PANELS, {"curves": CURVES})
    assert len(times) == 1
    assert (again.outputs, again.metadata["movable"]) == (first.outputs, first.metadata["movable"])
    moved = CURVES | {"up": [0, 1, 3, 0, 1, 4]}
    assert made(tmp_path / "c", TWO_PANELS, {"curves": moved}).outputs != first.outputs
    made(tmp_path / "d", TWO_PANELS | {"height": 99}, {"curves": CURVES})
    monkeypatch.setattr(movable, "_drawing_code", lambda: ["another version"])
    made(tmp_path / "e", TWO_PANELS, {"curves": CURVES})
    assert len(times) == 4


@browser_test
def test_a_menu_moves_both_panels_which_stand_below_one_another_on_a_phone(
    browser, built_site, tmp_path
):
    cell = made(tmp_path, TWO_PANELS, {"curves": CURVES})
    static = (built_site / "_static").as_uri()
    (tmp_path / "page.html").write_text(
        f'<html data-theme="light"><link rel="stylesheet" href="{static}/site.css">'
        f'<figure id="fig-made"><img alt="Two curves.">{cell.metadata["movable"]}'
        f'<figcaption>Curves.</figcaption></figure><script src="{static}/movable.js"></script>'
    )
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.goto((tmp_path / "page.html").as_uri())
    pictures = page.locator("#fig-made .movable-live svg")
    pictures.nth(1).wait_for()
    left, right = (each.bounding_box() for each in pictures.all())
    assert left["y"] == right["y"]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expected = [(np.arange(3), np.array(CURVES[column][3:])) for column in ("up", "down")]

    def follow():
        lines = zip(drawn(page, "fig-made"), expected, strict=True)
        return all(is_drawn(path, *points) for path, points in lines)

    assert soon(follow)
    page.set_viewport_size({"width": 375, "height": 800})

    def one_below_the_other():
        first, second = (each.bounding_box() for each in pictures.all())
        return second["y"] >= first["y"] + first["height"]

    assert soon(one_below_the_other)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.close()


def test_specification_with_nothing_to_move_or_a_colour_without_twin_is_refused(tmp_path):
    tables = {"curves": CURVES}
    with pytest.raises(FigureError, match="expected in `params` what to move"):
        made(tmp_path / "still", {**TWO_PANELS, "params": []}, tables)
    with pytest.raises(FigureError, match=r"expected colours of six digits.*red"):
        made(
            tmp_path / "red",
            TWO_PANELS
            | {
                "hconcat": [
                    panel | {"mark": {"type": "line", "color": "red"}}
                    for panel in TWO_PANELS["hconcat"]
                ]
            },
            tables,
        )
    cell = new_code_cell(metadata={"mystnb": {"figure": {"name": "fig-none"}}})
    with pytest.raises(FigureError, match="there is no such file"):
        show(tmp_path, cell, new_code_cell(outputs=[new_output("display_data", {MIME: tables})]))
