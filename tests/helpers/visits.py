"""A visit to a page: what it loads, whether it fits, its pictures, and what axe says of it.

Each check returns what is wrong, a sentence each, so that a test can plant a fault and ask for
the sentence. Pages are opened once for each scheme and width; tests look at what was gathered.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, Page, Request, Response

from figures.words import LEAST_WORDS

Problems = dict[str, list[str]]
WIDTHS = {"phone": 375, "desktop": 1280}
SHARP = 2  # pixels of a picture to one of the page
OF_EACH_KIND = (
    *("index.html", "tutorials/a-first-neuron.html", "howto/long-rollouts.html"),
    *("gallery/fashion-mnist.html", "reference/glossary.html", "search.html", "404.html"),
)
FILE_NAME = re.compile(r"\.(png|svg|jpe?g|gif|webp)$")

# Figures wait for being seen, and the twin of the other scheme never is.
LOAD_ALL = "() => { for (const image of document.images) image.loading = 'eager'; }"
LOADED = "() => [...document.images].every(image => image.complete)"
UNFOLD = """() => {
  window.unfolded = [...document.querySelectorAll('details:not([open])')];
  for (const each of unfolded) each.open = true;
}"""
FOLD = "() => { for (const each of unfolded) each.open = false; }"
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# A theme's icon on a field's words, and words in columns that a narrow screen makes of letters.
CROWDED = """() => [
  ...[...document.querySelectorAll('.bd-search')].filter(field => {
    const icon = field.querySelector('i').getBoundingClientRect();
    const words = field.querySelector('input').getBoundingClientRect();
    return icon.width && icon.right > words.left;
  }).map(() => 'the magnifying glass lies on the search field'),
  ...[...document.querySelectorAll('dl.simple > dt')].filter(
    each => getComputedStyle(each).display === 'flex'
  ).map(each => `words are set in columns: ${each.innerText.slice(0, 60)}`)]"""
IMAGES = """() => [...document.images].map(
  image => ({source: image.src, words: image.alt, width: image.naturalWidth}))"""
# Of a picture: whether it shows, whether the theme changes its colours, how many of its pixels
# make one of the page, and its words.
FIGURES = """() => [...document.querySelectorAll('.bd-article img')].map(image => ({
  source: image.src, alternative: image.alt, shown: image.checkVisibility(),
  filter: getComputedStyle(image).filter, density: image.naturalWidth / image.clientWidth,
  caption: image.closest('figure')?.querySelector('figcaption')?.innerText ?? '',
  captionShown: !!image.closest('figure')?.querySelector('figcaption')?.checkVisibility()}))"""
FORMULAS = """() => [...document.querySelectorAll('.math')].filter(each => {
    const box = each.querySelector('math')?.getBoundingClientRect();
    return !(box?.width > 0 && box?.height > 0);
  }).map(each => each.textContent.trim().slice(0, 60))"""
MOVING = """() => [...document.querySelectorAll('*')].filter(
    each => ['', '::before', '::after'].some(part => {
      const style = getComputedStyle(each, part);
      return style.transitionDuration !== '0s' || style.animationName !== 'none'
        || style.scrollBehavior === 'smooth';
    })).map(each => `${each.tagName} ${each.className}`)"""
# Contrast is by far the slowest of axe's rules, and code has thousands of words. What the rule
# says of a text follows from its colour, size and weight and from what it stands on, so of those
# that agree in all of it, and in how they are placed, three speak for the others. It does not
# judge single letters, nor what is disabled; those speak for their like alone.
MARK_LOOKS = """() => {
  const NEUTRAL = 'rgba(0, 0, 0, 0),none,1,static,none,normal,visible';
  const around = new Map(), met = new Map();
  const ground = element => {
    if (!element) return '';
    if (!around.has(element)) {
      const s = getComputedStyle(element);
      const own = [s.backgroundColor, s.backgroundImage, s.opacity, s.position, s.filter,
                   s.mixBlendMode, s.overflow].join();
      const outside = ground(element.parentElement);
      around.set(element, own === NEUTRAL ? outside : outside + '|' + own);
    }
    return around.get(element);
  };
  for (const each of document.querySelectorAll('body *')) {
    const own = [...each.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
    const text = own.map(node => node.data).join('').trim();
    if (!text && !each.matches('input, select, textarea')) continue;
    const s = getComputedStyle(each);
    const look = [s.color, s.fontSize, s.fontWeight, s.textShadow, s.display, s.visibility,
                  each.checkVisibility(), text.length > 1, ground(each),
                  !!each.closest(':disabled, [aria-disabled], [inert]')].join();
    met.set(look, (met.get(look) ?? 0) + 1);
    if (met.get(look) <= 3) each.setAttribute('data-one-of-look', '');
  }
  axe.configure({rules: [{id: 'color-contrast', selector: '[data-one-of-look]'}]});
}"""
# It would ask for style sheets again, and for those that they import at a wrong address.
AXE = """() => axe.run({resultTypes: ['violations'], preload: false}).then(found => found.violations)"""
# Of a thousand rows alike, thirty.
SHORTEN = """() => {
  const rows = document.querySelectorAll('table.sortable tbody tr:nth-child(n + 30)');
  for (const row of rows) row.remove();
}"""


def soon(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether something comes to hold: a busy machine draws late."""
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def show_as(page: Page, device: str, scheme: Literal["light", "dark"]) -> Page:
    page.set_viewport_size({"width": WIDTHS[device], "height": 800})
    page.emulate_media(color_scheme=scheme)
    return page


def look(page: Page, loading: list[str], url: str, with_axe: bool = True) -> Problems:
    """Open a page of the site and return what is wrong with it, by check.

    `loading` is the list that `watch` fills. Axe takes longer than all else together.
    """
    loading.clear()
    page.goto(url, wait_until="load")
    found = problems_of_parts(page) | ({"axe": axe_problems(page)} if with_axe else {})
    # The icon comes late. Most often the other checks have taken longer than that.
    page.wait_for_load_state("networkidle")
    return found | {"loading": list(loading)}


def problems_of_parts(page: Page) -> Problems:
    """Return what is wrong with an open page's width, images, figures, formulas and words."""
    page.evaluate(LOAD_ALL)
    page.wait_for_function(LOADED)
    wide, images = width_problems(page), image_problems(page)
    page.evaluate(UNFOLD)
    wide = wide or width_problems(page)
    found = {"figures": figure_problems(page), "formulas": formula_problems(page)}
    found["words"] = page.evaluate(CROWDED)
    page.evaluate(FOLD)
    return {"width": wide, "images": images, **found}


def watch(page: Page, origin: str) -> list[str]:
    """Return a list that gathers whatever goes wrong while `page` loads things."""
    found: list[str] = []

    def on_request(request: Request) -> None:
        if not request.url.startswith((origin, "data:", "blob:")):
            found.append(f"request leaves the site: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            found.append(f"status {response.status}: {response.url}")

    def on_failure(request: Request) -> None:
        # A page that is left before its icon came aborts that.
        if request.failure != "net::ERR_ABORTED":
            found.append(f"request failed: {request.url}: {request.failure}")

    def on_console(message: ConsoleMessage) -> None:
        # Of what failed to load, response and request have said the address.
        failed = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not failed:
            found.append(f"console {message.type}: {message.text}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("console", on_console)
    page.on("requestfailed", on_failure)
    page.on("pageerror", lambda error: found.append(f"script error: {error}"))
    return found


def width_problems(page: Page) -> list[str]:
    wider = page.evaluate(WIDER)
    return [f"the document is {wider} px wider than the screen"] if wider > 0 else []


def image_problems(page: Page) -> list[str]:
    found = []
    for image in page.evaluate(IMAGES):
        if not image["width"]:
            found.append(f"image does not load: {image['source']}")
        if not image["words"] or FILE_NAME.search(image["words"]):
            found.append(f"expected words as alternative text, got {image['words']!r}: {image}")
    return found


def figure_problems(page: Page) -> list[str]:
    """Return what is wrong with pictures in the text: each theme shows its own, with words."""
    scheme = page.evaluate("document.documentElement.dataset.theme")
    figures = page.evaluate(FIGURES)
    vectors = [each for each in figures if each["source"].endswith(".svg")]
    shown = [each for each in figures if each["shown"]]
    found = []
    for each in vectors:
        if each["shown"] != (("-dark-" in each["source"]) == (scheme == "dark")):
            state = "shown" if each["shown"] else "hidden"
            found.append(f"figure is {state} in the {scheme} theme: {each['source']}")
    if len(shown) != len(figures) - len(vectors) / 2:
        found.append(f"expected one of each pair of figures, got {len(shown)} of {len(figures)}")
    return found + [problem for each in shown for problem in _problems_of_figure(each)]


def _problems_of_figure(figure: dict[str, Any]) -> Iterator[str]:
    source, caption, alternative = figure["source"], figure["caption"], figure["alternative"]
    if not figure["captionShown"] or len(caption.split()) < LEAST_WORDS:
        yield f"expected a caption of {LEAST_WORDS} words under {source}, got {caption!r}"
    if len(alternative.split()) < LEAST_WORDS:
        yield f"expected {LEAST_WORDS} words as alternative text, got {alternative!r}: {source}"
    if alternative == caption:
        yield f"alternative text and caption are the same: {source}"
    if source.endswith(".svg") and figure["filter"] != "none":
        yield f"the theme changes the colours of {source}: {figure['filter']}"
    if not source.endswith(".svg") and figure["density"] < SHARP:
        yield f"expected {SHARP} pixels of {source} to one of the page, got {figure['density']}"


def moving_problems(page: Page) -> list[str]:
    return [f"moves although readers ask for rest: {each}" for each in page.evaluate(MOVING)]


def formula_problems(page: Page) -> list[str]:
    return [f"formula is not drawn: {latex!r}" for latex in page.evaluate(FORMULAS)]


def axe_problems(page: Page) -> list[str]:
    """Return what axe finds, by rule, with the first places."""
    page.evaluate(SHORTEN)
    page.evaluate(AXE_SCRIPT)
    page.evaluate(MARK_LOOKS)
    found = []
    for violation in page.evaluate(AXE):
        places = [node["html"][:160] for node in violation["nodes"]]
        found.append(f"{violation['id']}: {violation['help']}: {places[:3]}")
    return found
