"""A visit to a page: what it loads, whether it fits, its pictures, and what axe says of it.

Each check returns what is wrong, a sentence each, so that a test can plant a fault and ask for
the sentence. `Visits` opens each page once for each scheme and width; tests look at what was
gathered.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from figures.words import LEAST_WORDS

Problems = dict[str, list[str]]
WIDTHS = {"phone": 375, "desktop": 1280}
SHARP = 2  # pixels of a picture to one of the page
OF_EACH_KIND = (
    *("index.html", "tutorials/a-first-neuron.html", "howto/long-rollouts.html"),
    *("gallery/fashion-mnist.html", "reference/glossary.html", "search.html", "404.html"),
)
# Kilobytes, of which the theme's icon font is 115. A page without interactive figures stays far
# enough below the first bound to take a library for them.
MOST = 800
MOST_WITHOUT_INTERACTION = 520
# The cumulative layout shift that nobody notices.
MOST_MOVED = 0.02
INTERACTIVE = re.compile(r"vega", re.IGNORECASE)  # in the address of a script
COMPRESSED = {"document", "stylesheet", "script", "fetch", "xhr"}
FILE_NAME = re.compile(r"\.(png|svg|jpe?g|gif|webp)$")

# Steps of two thirds of a screen, so that every lazy figure comes near enough to be loaded.
SCROLL = """async () => {
  const pause = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 10)));
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight * 2 / 3) {
    scrollTo({top: y, behavior: 'instant'});
    await pause();
  }
  await Promise.all([...document.images].filter(each => each.checkVisibility())
    .map(each => each.complete || new Promise(done => { each.onload = each.onerror = done; })));
  await pause();
  scrollTo({top: 0, behavior: 'instant'});
}"""
WATCH_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver(list => list.getEntries().forEach(each => {
    if (!each.hadRecentInput) window.shifts.push({
      value: each.value, what: each.sources.map(source => source.node?.nodeName)});
  })).observe({type: 'layout-shift', buffered: true});
"""
SIZES = """() => [...document.querySelectorAll('.bd-article img')].map(image => ({
  source: image.src, loaded: image.complete && image.naturalWidth > 0,
  width: image.getAttribute('width'), height: image.getAttribute('height'),
  ratio: image.naturalWidth / image.naturalHeight,
  shown: image.checkVisibility() ? image.clientWidth / image.clientHeight : null}))"""
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
AXE = """() => axe.run({resultTypes: ['violations'], preload: false})
  .then(found => found.violations)"""
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


class Visits:
    """What is wrong with pages, by page and check. Workers share the looking at them.

    `folder` holds what was found. Who makes the file for a page first looks at it.
    """

    def __init__(self, browser: Browser, address: str, folder: Path) -> None:
        self.browser, self.address, self.folder = browser, address, folder

    def __call__(
        self, names: Iterable[str], device: str, scheme: Literal["light", "dark"]
    ) -> dict[str, Problems]:
        """Look at each page at which nobody has looked, and wait for what others find."""
        folder = self.folder / f"{device}-{scheme}"
        folder.mkdir(parents=True, exist_ok=True)
        places = {name: folder / f"{name.replace('/', '.')}.json" for name in names}
        for name, place in places.items():
            try:
                place.with_suffix(".taken").touch(exist_ok=False)
            except FileExistsError:
                continue
            _write(place, self._visit(name, device, scheme))
        return {name: _read(place) for name, place in places.items()}

    def _visit(self, name: str, device: str, scheme: Literal["light", "dark"]) -> Problems | str:
        url = self.address + name
        try:
            with fresh(self.browser, device, scheme) as page:
                loading = watch(page, self.address)
                page.goto(url, wait_until="load")
                found = problems_of_reading(page)
                found |= problems_of_parts(page) | {"axe": axe_problems(page)}
                # The icon comes late. Most often the other checks have taken longer than that.
                page.wait_for_load_state("networkidle")
                found["loading"] = list(loading)
            if found["shift"]:  # a busy machine may show a table before it has all of it
                with fresh(self.browser, device, scheme) as page:
                    page.goto(url, wait_until="load")
                    found["shift"] = problems_of_reading(page)["shift"]
        except Exception as error:
            return f"the visit of {name} failed: {error}"
        return found


def _write(place: Path, found: Problems | str) -> None:
    """Write what was found, so that nobody reads half of it."""
    part = place.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf8")
    part.replace(place)


def _read(place: Path) -> Problems:
    """Return what somebody finds, who may still be at it."""
    assert soon(place.exists, 120), f"nobody came back from the visit of {place.stem}"
    found = json.loads(place.read_text(encoding="utf8"))
    assert isinstance(found, dict), found
    return found


@contextmanager
def fresh(browser: Browser, device: str, scheme: Literal["light", "dark"]) -> Iterator[Page]:
    """Open a page with nothing in the cache; `received` lists what it loads."""
    size = {"width": WIDTHS[device], "height": 800}
    context = browser.new_context(viewport=size, color_scheme=scheme)
    context.add_init_script(WATCH_SHIFTS)
    page = context.new_page()
    page.received = []
    page.on("requestfinished", lambda request: page.received.append(request))
    yield page
    context.close()


def look(page: Page, loading: list[str], url: str, with_axe: bool = True) -> Problems:
    """Open a page of the site and return what is wrong with it, by check.

    `loading` is the list that `watch` fills. Axe takes longer than all else together.
    """
    loading.clear()
    page.goto(url, wait_until="load")
    found = problems_of_parts(page) | ({"axe": axe_problems(page)} if with_axe else {})
    page.wait_for_load_state("networkidle")
    return found | {"loading": list(loading)}


def problems_of_reading(page: Page) -> Problems:
    """Read an open page to its end; return whether that loads too much, or moves things."""
    page.evaluate(SCROLL)
    return {"weight": weight_problems(page), "shift": shift_problems(page)}


def problems_of_parts(page: Page) -> Problems:
    """Return what is wrong with an open page's width, images, figures, formulas and words."""
    page.evaluate(LOAD_ALL)
    page.wait_for_function(LOADED)
    wide, images = width_problems(page), image_problems(page)
    page.evaluate(UNFOLD)
    wide = wide or width_problems(page)
    found = {"figures": figure_problems(page), "formulas": formula_problems(page)}
    found |= {"words": page.evaluate(CROWDED), "sizes": size_problems(page)}
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


def weight_problems(page: Page) -> list[str]:
    """Say that what a page has received is more than a phone loads in a few seconds."""
    sizes = {request.url: _compressed(request) for request in page.received}
    interactive = any(INTERACTIVE.search(url) for url in sizes if ".js" in url)
    kilobytes = sum(sizes.values()) / 1000
    most = MOST if interactive else MOST_WITHOUT_INTERACTION
    heaviest = sorted(sizes.items(), key=lambda each: -each[1])[:4]
    return [f"{kilobytes:.0f} KB, at most {most}: {heaviest}"] if kilobytes > most else []


def _compressed(request: Request) -> int:
    """Return the bytes of an answer, where the host compresses what is text."""
    body = request.response().body()
    text = request.resource_type in COMPRESSED or urlsplit(request.url).path.endswith(".svg")
    return len(gzip.compress(body, 6)) if text else len(body)


def shift_problems(page: Page) -> list[str]:
    """Say how far things moved while a page loaded and was read, if that is too far."""
    shifts = page.evaluate("window.shifts")
    total = sum(each["value"] for each in shifts)
    return [f"things move by {total:.3f}: {shifts[:5]}"] if total >= MOST_MOVED else []


def size_problems(page: Page) -> list[str]:
    """Return images whose sizes are not in the HTML, are not the picture's, or change."""
    images = [each for each in page.evaluate(SIZES) if not _well_sized(each)]
    return [f"expected the size of an image, as it is shown: {each}" for each in images]


def _well_sized(image: dict[str, Any]) -> bool:
    if not (image["loaded"] and image["width"] and image["height"]):
        return False
    said = int(image["width"]) / int(image["height"])
    ratios = [said, image["shown"]] if image["shown"] else [said]
    return all(abs(each / image["ratio"] - 1) < 0.02 for each in ratios)


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
