"""Everybody can read the site: axe finds nothing, keys reach everything, nothing has to move."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
WIDTHS = {"phone": 375, "desktop": 1280}
OF_EACH_KIND = (
    *("index.html", "tutorials/a-first-neuron.html", "howto/long-rollouts.html"),
    *("gallery/fashion-mnist.html", "reference/glossary.html", "search.html", "404.html"),
)
# The element that has the focus: where it is, whether it shows, and what a reader is told.
FOCUSED = """() => {
  const each = document.activeElement, box = each.getBoundingClientRect();
  return {tag: each.tagName, name: each.ariaLabel || each.textContent.trim() || each.title
            || each.labels?.[0]?.textContent,
          order: [...document.querySelectorAll('*')].indexOf(each),
          shown: each.checkVisibility() && box.width > 0}}"""
REACHABLE = """() => [
    ...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')
  ].filter(each => each.checkVisibility({visibilityProperty: true}) && each.tabIndex >= 0
    && !each.disabled && !each.closest('[inert]')).length"""


def html_names(built_site):
    names = (path.relative_to(built_site).as_posix() for path in built_site.rglob("*.html"))
    return sorted(name for name in names if not name.startswith(("_static/", "_modules/")))


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing_on_any_page(browser, address, built_site, device, scheme):
    assert not problems(browser, address, device, scheme, html_names(built_site))


@pytest.mark.parametrize(("device", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_axe_finds_nothing_where_only_the_other_scheme_is_new(browser, address, device, scheme):
    """All pages have been seen at this width and in this scheme; here, one of each kind."""
    assert not problems(browser, address, device, scheme, OF_EACH_KIND)


def problems(browser, address, device, scheme, names):
    """What axe finds, by page and rule, with the first places."""
    size = {"width": WIDTHS[device], "height": 800}
    page = browser.new_page(viewport=size, color_scheme=scheme)
    found = {}
    for name in names:
        page.goto(address + name, wait_until="load")
        # Of a thousand rows alike, thirty.
        context = {"exclude": [["table.sortable tbody tr:nth-child(n + 30)"]]}
        for violation in Axe().run(page, context=context).response["violations"]:
            places = [node["html"][:160] for node in violation["nodes"]]
            found[name, violation["id"]] = (violation["help"], *places[:3])
    page.close()
    return found


@pytest.mark.parametrize("device", WIDTHS)
def test_tab_key_reaches_everything_in_the_order_of_the_page(browser, address, device):
    page = browser.new_page(viewport={"width": WIDTHS[device], "height": 800})
    page.goto(f"{address}tutorials/a-first-neuron.html", wait_until="networkidle")
    count = page.evaluate(REACHABLE)
    seen = []
    for _ in range(count + 20):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found["tag"] == "BODY":
            break
        seen.append(found)
    page.close()
    hidden = [each for each in seen if not each["shown"]]
    assert not hidden, f"the focus goes where nothing is to be seen: {hidden[:3]}"
    nameless = [each for each in seen if not each["name"]]
    assert not nameless, nameless
    assert len(seen) >= 0.95 * count
    orders = [each["order"] for each in seen]
    assert orders == sorted(orders)


def test_nothing_moves_for_readers_who_ask_for_that(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(f"{address}index.html", wait_until="networkidle")
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(each => {
          const style = getComputedStyle(each);
          return style.transitionDuration !== '0s' || style.animationName !== 'none'
            || style.scrollBehavior === 'smooth'; }).map(each => each.className)"""
    )
    page.close()
    assert not moving
