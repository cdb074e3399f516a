"""A real browser loads every page of the built site: nothing missing, nothing foreign."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
WIDTHS = {"desktop": 1280, "phone": 375}
FILE_NAME = re.compile(r"\.(png|svg|jpe?g|gif|webp)$")
IMAGES = """() => [...document.images].map(
  image => ({src: image.src, alt: image.alt, width: image.naturalWidth}))"""
OVERFLOW = """() => document.documentElement.scrollWidth
  - document.documentElement.clientWidth"""


def test_every_page_loads_clean_and_fits_the_screen(browser, address, built_site):
    names = sorted(p.relative_to(built_site).as_posix() for p in built_site.rglob("*.html"))
    names = [name for name in names if not name.startswith("_static/")]
    assert "index.html" in names
    problems = []
    for device, width in WIDTHS.items():
        page = browser.new_page(viewport={"width": width, "height": 800})
        found = watch(page, address)
        for name in names:
            page.goto(address + name, wait_until="networkidle")
            found += page_problems(page)
            problems += [f"{name} ({device}): {problem}" for problem in found]
            found.clear()
        page.close()
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("width", [375, 900, 1280])
def test_menu_button_opens_and_closes_the_site_contents(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address + "index.html", wait_until="networkidle")
    sidebar = page.locator(".bd-sidebar-primary").first

    def in_view() -> bool:
        box = sidebar.bounding_box()
        return bool(sidebar.is_visible() and box and box["x"] + box["width"] > 1)

    before = in_view()
    page.locator("button.primary-toggle:visible").first.click()
    page.wait_for_timeout(600)
    assert in_view() is not before
    page.close()


def test_site_opens_from_the_file_system(browser, built_site):
    page = browser.new_page()
    found = watch(page, "file://")
    page.goto((built_site / "index.html").as_uri(), wait_until="load")
    found += page_problems(page)
    page.close()
    assert not found, "\n".join(found)


def watch(page: Page, origin: str) -> list[str]:
    """Return a list that gathers whatever goes wrong while `page` loads things."""
    found: list[str] = []

    def on_request(request):
        if not request.url.startswith((origin, "data:", "blob:")):
            found.append(f"request leaves the site: {request.url}")

    def on_response(response):
        if response.status >= 400:
            found.append(f"status {response.status}: {response.url}")

    def on_failure(request):
        # The browser asks for the icon late. Leaving the page before it came aborts that.
        if request.failure != "net::ERR_ABORTED":
            found.append(f"request failed: {request.url}: {request.failure}")

    def on_console(message):
        if message.type in ("error", "warning"):
            found.append(f"console {message.type}: {message.text}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("console", on_console)
    page.on("requestfailed", on_failure)
    page.on("pageerror", lambda error: found.append(f"script error: {error}"))
    return found


def page_problems(page: Page) -> list[str]:
    problems = []
    # Figures wait for being seen, and the twin of the other scheme never is.
    page.evaluate("[...document.images].forEach(image => { image.loading = 'eager'; })")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    if (overflow := page.evaluate(OVERFLOW)) > 0:
        problems.append(f"the document is {overflow} px wider than the screen")
    for image in page.evaluate(IMAGES):
        if not image["width"]:
            problems.append(f"image does not load: {image['src']}")
        if not image["alt"] or FILE_NAME.search(image["alt"]):
            problems.append(f"expected words as alternative text, got {image['alt']!r}: {image}")
    return problems
