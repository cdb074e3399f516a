"""Pages are light: few bytes, nothing that moves while it loads, nothing that holds up the text."""

import gzip
import os
import re
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from planting import plant
from visits import WIDTHS

ROOMS = ("tutorials", "howto", "concepts", "gallery")
# Kilobytes. A page without interactive figures stays far enough below the first bound to
# take a library for them.
MOST = 700
MOST_WITHOUT_INTERACTION = 420
# The cumulative layout shift that nobody notices.
MOST_MOVED = 0.02
INTERACTIVE = re.compile(r"vega", re.IGNORECASE)  # in the address of a script
COMPRESSED = {"document", "stylesheet", "script", "fetch", "xhr"}
# Scripts that a browser runs before it shows the text, by what is in them, with the reason.
BLOCKING = {"document.documentElement.dataset.theme": "a dark page would be light at first"}
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
}"""
WATCH_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver(list => list.getEntries().forEach(each => {
    if (!each.hadRecentInput) window.shifts.push({
      value: each.value, what: each.sources.map(source => source.node?.nodeName)});
  })).observe({type: 'layout-shift', buffered: true});
"""
SIZES = """images => images.map(image => ({
  source: image.src, loaded: image.complete && image.naturalWidth > 0,
  width: image.getAttribute('width'), height: image.getAttribute('height'),
  ratio: image.naturalWidth / image.naturalHeight,
  shown: image.checkVisibility() ? image.clientWidth / image.clientHeight : null}))"""
ONE = "tutorials/a-first-neuron.html"


def pages_of_rooms(site):
    found = (page for room in ROOMS for page in sorted((site / room).glob("*.html")))
    return ["index.html", *(page.relative_to(site).as_posix() for page in found)]


def all_pages(site):
    names = (page.relative_to(site).as_posix() for page in sorted(site.rglob("*.html")))
    return [name for name in names if not name.startswith("_static/")]


@contextmanager
def fresh(browser, width):
    """A page in a browser that has nothing in its cache, with a list of what it received."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    context.add_init_script(WATCH_SHIFTS)
    page = context.new_page()
    page.received = []
    page.on("requestfinished", lambda request: page.received.append(request))
    yield page
    context.close()


def read_to_the_end(page, url):
    page.goto(url, wait_until="load")
    page.evaluate(SCROLL)


def compressed(request):
    """The bytes of an answer, where the host compresses what is text."""
    body = request.response().body()
    text = request.resource_type in COMPRESSED or urlsplit(request.url).path.endswith(".svg")
    return len(gzip.compress(body, 6)) if text else len(body)


def too_heavy(page, name):
    """What a page that was read to the end weighs, if that is too much."""
    sizes = {request.url: compressed(request) for request in page.received}
    interactive = any(INTERACTIVE.search(url) for url in sizes if ".js" in url)
    kilobytes = sum(sizes.values()) / 1000
    most = MOST if interactive else MOST_WITHOUT_INTERACTION
    heaviest = sorted(sizes.items(), key=lambda each: -each[1])[:4]
    return [(name, f"{kilobytes:.0f} KB, at most {most}", heaviest)] if kilobytes > most else []


def moved(page, name):
    """How far things moved while a page loaded and was read, if that is too far."""
    shifts = page.evaluate("window.shifts")
    total = sum(each["value"] for each in shifts)
    return [(name, total, shifts[:5])] if total >= MOST_MOVED else []


def moved_again(browser, address, name, width):
    """The same of a second visit: a busy machine may show a table before it has all of it."""
    with fresh(browser, width) as page:
        read_to_the_end(page, address + name)
        return moved(page, f"{name} at {width}")


def wrongly_sized(page, name):
    """Images whose sizes are not in the HTML, are not the picture's, or change on the page."""
    images = page.locator(".bd-article img")
    images.evaluate_all("images => images.forEach(each => { each.loading = 'eager'; })")
    page.wait_for_function("() => [...document.images].every(each => each.complete)")
    return [(name, each) for each in images.evaluate_all(SIZES) if not well_sized(each)]


def well_sized(image):
    if not (image["loaded"] and image["width"] and image["height"]):
        return False
    said = int(image["width"]) / int(image["height"])
    ratios = [said, image["shown"]] if image["shown"] else [said]
    return all(abs(each / image["ratio"] - 1) < 0.02 for each in ratios)


@pytest.fixture(scope="module")
def seen(browser, address, built_site):
    """What is wrong with each page, once read: by what was looked at, and in how many pages."""
    found = {"weight": [], "shift": [], "size": [], "pages": 0}
    rooms = pages_of_rooms(built_site)
    for name in all_pages(built_site):
        if name.startswith("_modules/"):
            continue  # as light as any: source, and nothing else
        widths = WIDTHS.values() if name in rooms else [WIDTHS["desktop"]]
        for width in widths:
            with fresh(browser, width) as page:
                read_to_the_end(page, address + name)
                found["weight"] += too_heavy(page, name) if width == WIDTHS["desktop"] else []
                shifted = moved(page, f"{name} at {width}")
                found["size"] += wrongly_sized(page, name)
                found["pages"] += 1
            found["shift"] += shifted and moved_again(browser, address, name, width)
    return found


def test_no_page_is_heavier_than_a_phone_loads_in_a_few_seconds(seen):
    assert seen["pages"] > 30
    assert not seen["weight"]


def test_nothing_moves_while_a_page_loads_and_is_read(seen):
    assert not seen["shift"]


def test_the_html_says_how_large_each_image_is(seen):
    assert not seen["size"]


def test_a_heavy_page_is_noticed(browser, address):
    with fresh(browser, WIDTHS["desktop"]) as page:
        noise = os.urandom(1000 * MOST_WITHOUT_INTERACTION).hex()
        plant(page, ONE, "</body>", f"<!-- {noise} --></body>")
        read_to_the_end(page, address + ONE)
        assert too_heavy(page, ONE)


def test_a_figure_that_pushes_the_text_down_when_it_comes_is_noticed(browser, address):
    def late(route):
        time.sleep(0.5)
        route.continue_()

    with fresh(browser, WIDTHS["phone"]) as page:
        plant(page, "index.html", ' height="', ' data-height="')
        page.route("**/*.svg", late)
        read_to_the_end(page, f"{address}index.html")
        assert moved(page, "index.html")


@pytest.mark.parametrize(
    ("old", "new"), [(' height="', ' data-height="'), (' height="', ' height="1'), ("width=", "x=")]
)
def test_an_image_without_its_own_size_is_noticed(browser, address, old, new):
    with fresh(browser, WIDTHS["desktop"]) as page:
        plant(page, "index.html", old, new)
        page.goto(f"{address}index.html", wait_until="load")
        assert wrongly_sized(page, "index.html")


def head_and_scripts(html):
    """A page without its text, which takes long to parse."""
    head, end, body = html.partition("</head>")
    return head + end + "".join(re.findall(r"<script\b[^>]*\bsrc=[^>]*>\s*</script>", body))


def head_faults(html, canonical=None):
    """What the head of a page lacks, and which of its scripts hold up the text."""
    soup = BeautifulSoup(head_and_scripts(html), "html.parser")
    described = soup.select('head meta[name="description"]')
    links = [link["href"] for link in soup.select('head link[rel="canonical"]')]
    faults = {
        "no language": not soup.html.get("lang"),
        "no title": not (soup.title and soup.title.get_text(strip=True)),
        "no description, or two": [len(each["content"].split()) > 3 for each in described]
        != [True],
        f"canonical links {links}": canonical is not None and links != [canonical],
    }
    return [what for what, wrong in faults.items() if wrong] + blocking_scripts(soup)


def blocking_scripts(soup):
    scripts = [
        script
        for script in soup.select("head script, script[src]")
        if not (script.has_attr("defer") or script.has_attr("async"))
        and script.get("type", "text/javascript") == "text/javascript"
    ]
    known = [script for script in scripts if any(part in script.text for part in BLOCKING)]
    return [f"holds up the text: {str(each)[:120]}" for each in scripts if each not in known]


def test_every_page_says_what_it_is_and_no_script_holds_it_up(built_site):
    found = {name: head_faults((built_site / name).read_text()) for name in all_pages(built_site)}
    assert not {name: faults for name, faults in found.items() if faults}


def test_every_page_has_one_address_where_the_host_gives_one(site, monkeypatch):
    monkeypatch.setenv("SITE_ADDRESS", "https://docs.example/guides/")
    site.build_well()
    for name in ("first", "second", "index", "search", "genindex", "reference/measured"):
        assert not head_faults(site.html(name), f"https://docs.example/guides/{name}.html"), name


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<html lang=", "<html x="),
        ("<title>", "<title></title><x>"),
        ('name="description"', 'name="x"'),
        ("</head>", '<meta name="description" content="One more of these." /></head>'),
        ("</head>", '<script src="x.js"></script></head>'),
        ("</head>", "<script>document.title</script></head>"),
        ("</head>", '<link rel="canonical" href="https://docs.example/x.html"></head>'),
    ],
)
def test_a_faulty_head_is_noticed(built_site, old, new):
    html = (built_site / ONE).read_text()
    address = f"https://docs.example/{ONE}"
    whole = html.replace("</head>", f'<link rel="canonical" href="{address}"></head>')
    assert not head_faults(whole, address)
    assert old in whole
    assert head_faults(whole.replace(old, new), address)
