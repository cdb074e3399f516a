"""Everybody can read the site: axe finds nothing, keys reach everything, nothing has to move."""

import pytest

from planting import STYLES, add, faults, give, plant, put_before, rename, swap, take
from visits import OF_EACH_KIND, WIDTHS, axe_problems, moving_problems, show_as

pytestmark = pytest.mark.browser
NEURON = "tutorials/a-first-neuron.html"
MEASURED = "reference/measured.html"
FAINT = "{{ color: {} !important }}"
# What is undone, where axe meets it, the file and its change, axe's rule.
AXE_FAULTS = [
    (
        "the language is not said",
        ("index.html", "desktop", "light"),
        ("index.html", take("html", "lang")),
        "html-has-lang",
    ),
    (
        "a picture has no words",
        (NEURON, "desktop", "light"),
        (NEURON, take("figure img", "alt")),
        "image-alt",
    ),
    (
        "a button has no words",
        ("index.html", "phone", "light"),
        ("index.html", take("button.primary-toggle", "title")),
        "button-name",
    ),
    (
        "the link home stands outside of all landmarks",
        ("index.html", "desktop", "dark"),
        ("index.html", rename("nav[aria-label=Home]", "div")),
        "region",
    ),
    (
        "the heading over the names of rows is empty",
        ("concepts/where-the-time-goes.html", "desktop", "light"),
        ("concepts/where-the-time-goes.html", take("th .visually-hidden")),
        "empty-table-header",
    ),
    (
        "captions are too faint on light pages",
        (NEURON, "desktop", "light"),
        (STYLES, add("figcaption p" + FAINT.format("#999"))),
        "color-contrast",
    ),
    (
        "captions are too faint on dark pages",
        (NEURON, "phone", "dark"),
        (STYLES, add("figcaption p" + FAINT.format("#555"))),
        "color-contrast",
    ),
    (
        "comments in code are too faint",
        (NEURON, "phone", "light"),
        (STYLES, add(".highlight .c1" + FAINT.format("#aaa"))),
        "color-contrast",
    ),
    (
        "the way back from source code is too faint",
        ("_modules/trainable_spikes/models.html", "desktop", "light"),
        (STYLES, add("a.viewcode-back" + FAINT.format("#aaa"))),
        "color-contrast",
    ),
    (
        "one word of code is too faint",
        (NEURON, "desktop", "dark"),
        (NEURON, give("pre .nf", "style", "color: #666")),
        "color-contrast",
    ),
    (
        "a table's headings are too faint",
        (MEASURED, "phone", "dark"),
        (STYLES, add("table.sortable th button { opacity: .3 }")),
        "color-contrast",
    ),
    (
        "wide formulas cannot be scrolled with keys",
        ("concepts/differentiability.html", "phone", "light"),
        ("_static/scrollable.js*", swap("box.tabIndex = 0", "box.tabIndex = -1")),
        "scrollable-region-focusable",
    ),
    (
        "citations have a role that is no longer one",
        ("reference/bibliography.html", "desktop", "light"),
        ("reference/bibliography.html", give("[role=listitem]", "role", "doc-biblioentry")),
        "aria-",
    ),
]
# The parts of a page in the order in which keys should go through them.
PARTS = {
    "the link that skips": "#pst-skip-link",
    "the site's contents": ".bd-sidebar-primary",
    "buttons": ".bd-header-article",
    "text": ".bd-article, .bd-search-container",
    "previous and next": ".prev-next-footer",
    "the page's contents": ".bd-sidebar-secondary",
    "the foot of the page": ".bd-footer",
}
STOPS = "a[href], button, input, select, textarea, summary, iframe, [contenteditable], [tabindex]"
# Notes what gets the focus, and returns what should. Excused, for the index -1, are boxes that
# could scroll and hold nothing larger than themselves, where there is nothing to do, and of names
# in code those that Python has built in and those that lead where another link leads that is
# reached: a page would have hundreds of stops.
FOCUS = """([parts, stops]) => {
  const all = [...document.querySelectorAll('*')];
  const orders = new Map(all.map((each, order) => [each, order]));
  const describe = each => ({
    order: orders.get(each) ?? -1, part: parts.findIndex(part => each.closest(part)),
    html: each.cloneNode().outerHTML.slice(0, 120),
    name: each.ariaLabel || each.textContent.trim() || each.title || each.querySelector('img')?.alt
      || each.labels?.[0]?.textContent,
    shown: each.checkVisibility({visibilityProperty: true, opacityProperty: true})
      && each.getBoundingClientRect().width > 0});
  const fits = each => each.matches('pre, div')
    && each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight;
  const again = each => each.matches('pre a') && (
    /docs\\.python\\.org.*(functions|stdtypes)\\.html/.test(each.href)
    || [...document.links].some(other => other.href === each.href && other.tabIndex >= 0
      && other.checkVisibility()));
  const excused = each => each.tabIndex < 0 && (fits(each) || again(each));
  window.reached = [];
  document.addEventListener('focusin', event => { reached.push(describe(event.target)); });
  return all.filter(each => each.matches(stops) && !each.disabled && each.type !== 'hidden'
    && !excused(each) && each.checkVisibility({visibilityProperty: true})).map(describe);
}"""


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing_on_any_page(visits, html_names, device, scheme):
    assert not axe_of(visits, html_names, device, scheme)


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_axe_finds_nothing_where_only_the_other_scheme_is_new(visits, device, scheme):
    """All pages have been seen at this width and in this scheme; here, one of each kind."""
    assert not axe_of(visits, OF_EACH_KIND, device, scheme)


def axe_of(visits, names, device, scheme):
    found = visits(names, device, scheme)
    return {name: problems["axe"] for name, problems in found.items() if problems["axe"]}


@pytest.mark.parametrize(("where", "fault", "rule"), faults(AXE_FAULTS))
def test_axe_finds_a_fault_that_is_planted(page, address, where, fault, rule):
    name, device, scheme = where
    show_as(page, device, scheme)
    plant(page, *fault)
    page.goto(address + name, wait_until="load")
    found = axe_problems(page)
    assert [problem for problem in found if problem.startswith(rule)], found


@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_tab_key_reaches_everything_in_the_order_of_the_page(page, address, name, device):
    show_as(page, device, "light")
    assert not tab_problems(page, address, name)


UP = '<p{}><a href="#">Up</a></p>'
TAB_FAULTS = [
    (
        "keys do not reach the link to the next page",
        (NEURON, give("a.right-next", "tabindex", "-1")),
        'expected the Tab key to reach <a class="right-next"',
    ),
    (
        "code that is wider than its box cannot be scrolled with keys",
        (
            "_static/scripts/pydata-sphinx-theme.js*",
            swap("e.tabIndex=e.scrollWidth>e.clientWidth||", "e.tabIndex="),
        ),
        "expected the Tab key to reach <pre",
    ),
    (
        "names in code are no stops",
        (NEURON, give("a.sphinx-codeautolink-a", "tabindex", "-1")),
        'expected the Tab key to reach <a class="sphinx-codeautolink-a"',
    ),
    (
        "the search button is no button",
        (NEURON, give("button.search-button", "inert", "")),
        'expected the Tab key to reach <button aria-label="Search"',
    ),
    (
        "keys go to the next page first",
        (NEURON, give("a.right-next", "tabindex", "1")),
        "expected the focus to follow the page",
    ),
    (
        "the way on comes before the text",
        (NEURON, put_before("main", UP.format(' class="prev-next-footer"'))),
        "expected the parts of the page in order",
    ),
    (
        "a link stands outside of all parts",
        (NEURON, put_before("main", UP.format(""))),
        "outside of every part of the page: <a href",
    ),
    (
        "a link cannot be seen",
        (NEURON, give("a.right-next", "style", "opacity: 0")),
        'the focus goes where nothing is to be seen: <a class="right-next"',
    ),
    (
        "the button of the menu has no words",
        (NEURON, take("button.primary-toggle", "title")),
        "the focus goes to what has no name: <button",
    ),
]


@pytest.mark.parametrize(("fault", "says"), faults(TAB_FAULTS))
def test_fault_that_is_planted_for_keys_is_found(page, address, fault, says):
    show_as(page, "phone", "light")
    plant(page, *fault)
    found = tab_problems(page, address, NEURON)
    assert [problem for problem in found if says in problem], found


def tab_problems(page, address, name):
    """Return what is wrong with the way that the Tab key takes through a page."""
    page.goto(address + name, wait_until="load")
    expected = page.evaluate(FOCUS, [list(PARTS.values()), STOPS])
    # Some more, since what scrolls is a stop too, whatever its markup says.
    for _ in range(len(expected) + 10):
        page.keyboard.press("Tab")
    reached = once_through(page.evaluate("reached"))
    orders, parts = ([each[key] for each in reached] for key in ("order", "part"))
    found = [
        f"expected the Tab key to reach {each['html']}"
        for each in expected
        if each["order"] not in orders
    ]
    for each in reached:
        if not each["shown"]:
            found.append(f"the focus goes where nothing is to be seen: {each['html']}")
        if not each["name"]:
            found.append(f"the focus goes to what has no name: {each['html']}")
        if each["part"] < 0:
            found.append(f"outside of every part of the page: {each['html']}")
    if orders != sorted(orders):
        found.append(f"expected the focus to follow the page, it goes {orders}")
    if parts != sorted(parts):
        names = [list(PARTS)[part] for part in parts]
        found.append(f"expected the parts of the page in order, got {names}")
    return found


def once_through(reached):
    """Return the stops up to the first that comes again."""
    orders = [each["order"] for each in reached]
    again = next((n for n, order in enumerate(orders) if order in orders[:n]), len(orders))
    return reached[:again]


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_nothing_moves_for_readers_who_ask_for_that(page, address, name):
    page.emulate_media(reduced_motion="reduce")
    page.goto(address + name, wait_until="load")
    assert not moving_problems(page)


REST_FAULTS = [
    ("changes are slow", "body * { transition: color 1s !important }", ""),
    ("the page scrolls smoothly", "html { scroll-behavior: smooth !important }", "HTML"),
    ("something spins", "html body { animation: spin 1s infinite !important }", "BODY"),
]


@pytest.mark.parametrize(("rule", "what"), faults(REST_FAULTS))
def test_movement_that_is_planted_is_found(page, address, rule, what):
    page.emulate_media(reduced_motion="reduce")
    plant(page, STYLES, add(rule))
    page.goto(address + "index.html", wait_until="load")
    says = f"moves although readers ask for rest: {what}"
    assert [problem for problem in moving_problems(page) if says in problem]
