"""A reader finds the way: from code to its documentation, from page to page, inside a page.

Each check is a function that says what is amiss, and each is shown a fault that it has to find.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup, SoupStrainer
from sphinx.errors import ExtensionError
from sphinx.ext import viewcode
from sphinx.highlighting import PygmentsBridge
from sphinx_codeautolink import extension
from sphinx_codeautolink.extension.block import SourceTransform, clean_pycon, link_html
from sphinx_codeautolink.parse import parse_names

from pages.code_links import link_in_code
from pages.inventories import FOLDER, entries, mapping
from planting import give, plant, take
from site_pages import PAGES, readable
from visits import soon

NEURON = "tutorials/a-first-neuron"
LINK = "a.sphinx-codeautolink-a"
FEW = ("tutorials/train-a-spiking-network", "howto/trainable-readout")
WITHOUT_LINKS = {"gallery/benchmark"}
Read = Callable[[str], str]

# -- From code to its documentation ------------------------------------------


@pytest.fixture(scope="module")
def read(built_site) -> Read:
    return lambda name: (built_site / name).read_text(encoding="utf8")


@pytest.fixture(scope="module")
def documented():
    """Every address that the inventories have for a name."""
    found = set()
    for name, (address, _) in mapping().items():
        for line in entries((FOLDER / f"{name}.inv").read_bytes())[1]:
            entry, _, _, place, _ = line.split(" ", 4)
            found.add(address + place.replace("$", entry))
    return found


def code_links(read, docname):
    return links_in_code(read(f"{docname}.html"))


@cache  # by the text: a page with a planted fault is another one
def links_in_code(html):
    soup = BeautifulSoup(html, "html.parser", parse_only=SoupStrainer("a"))
    return [(link["href"], link.get_text()) for link in soup.select(LINK)]


def lost_code_links(read, docname, documented):
    """Links from a page's code that lead to no entry, of this site or of an inventory."""
    lost = []
    for href, text in code_links(read, docname):
        place, anchor = urldefrag(urljoin(f"{docname}.html", href))
        if urlsplit(href).scheme:
            lost += [(text, href)] if href not in documented else []
        elif f'id="{anchor}"' not in read(place):
            lost += [(text, href)]
    return lost


@pytest.mark.parametrize("docname", PAGES)
def test_names_in_code_lead_to_their_documentation(read, documented, docname):
    assert code_links(read, docname) or docname in WITHOUT_LINKS
    assert not lost_code_links(read, docname, documented)


def test_lost_code_links_are_found(read, documented):
    """The entry is gone here, and there the address is not one of an inventory."""

    def broken(name):
        text = read(name).replace('id="trainable_spikes.record"', 'id="elsewhere"')
        return text.replace("numpy.asarray.html#", "numpy.as_array.html#")

    docname = "howto/trainable-readout"
    lost = {href for _, href in lost_code_links(broken, docname, documented)}
    assert any("numpy.as_array" in href for href in lost)
    everywhere = {text for page in PAGES for text, _ in lost_code_links(broken, page, documented)}
    assert "ts.record" in everywhere


def test_what_code_links_replaces_is_what_the_libraries_call():
    """Else a new version of them would import the package in every build, and say nothing."""
    for function, name in (
        (extension.SphinxCodeAutoLink.apply_links, "link_html"),
        (extension.SphinxCodeAutoLink.filter_and_resolve, "resolve_location"),
        (viewcode.should_generate_module_page, "get_module_filename"),
    ):
        assert name in inspect.unwrap(function).__code__.co_names


CODE = """\
import jax.numpy as jnp
from numpy import asarray as array

values = jnp.stack([jnp.zeros(3), jnp.zeros(3) < 1, array("<a>")])
values = (
    jnp
    .sum(values)
)
print(jnp.zeros(2).sum(), f"{jnp.pi:.2f} & 'so' on")  # jnp.zeros
"""


DOCTEST = ">>> import jax.numpy as jnp\n>>> jnp.zeros(3).sum()\nArray(0., dtype=float32)\n"


def block_of_html(code):
    language = "pycon" if code.startswith(">>>") else "python"
    kind = "doctest highlight-default" if language == "pycon" else "highlight-python3"
    html = PygmentsBridge("html").highlight_block(code, language)
    return f'<div class="{kind} notranslate">{html}</div>\n'


def linked_by_both(codes, names):
    """What a page becomes through `link_in_code`, and through the library, as trees."""
    transforms = [SourceTransform(code, found, None, 0) for code, found in names]
    inventory = {name.resolved_location: "api.html#x" for _, found in names for name in found}
    inventory["jax.numpy.zeros"] = "https://example.org/zeros.html"
    html = "<p>jnp.zeros</p>\n".join(map(block_of_html, codes))
    options = ({}, [], "html")
    return [
        BeautifulSoup(
            link("howto/page", html, transforms, inventory, *options, disable_link_titles=False),
            "html.parser",
        )
        for link in (link_in_code, link_html)
    ]


def names_in(code):
    names = parse_names(clean_pycon(code)[1] if code.startswith(">>>") else code, None)
    for name in names:
        name.resolved_location = ".".join(map(str, name.import_components))
    return names


@pytest.mark.parametrize("codes", [[CODE, "print(1)\n", DOCTEST, CODE], *map(readable, FEW)])
def test_links_in_code_are_those_that_the_library_puts_there(codes):
    ours, theirs = linked_by_both(codes, [(code, names_in(code)) for code in codes])
    assert len(ours.select(LINK)) > 5
    assert ours == theirs


def test_code_that_is_not_on_the_page_and_a_name_that_is_not_in_it_are_told(caplog):
    linked_by_both([CODE], [("print(2)\n", names_in("print(2)\n"))])
    linked_by_both(["print(1)\n"], [("print(1)\n", names_in("input(1)\n"))])
    told = [record.subtype for record in caplog.records if record.name == "sphinx.pages.code_links"]
    assert told == ["match_block", "match_name"]


@pytest.mark.parametrize(
    ("options", "no_titles"),
    [
        (({"x": None}, []), False),
        (({}, ["x"]), False),
        (({}, [], "dirhtml"), False),
        (({}, []), True),
    ],
)
def test_options_that_links_in_code_do_not_follow_are_refused(options, no_titles):
    with pytest.raises(ExtensionError, match="no options of"):
        link_in_code("page", "", [], {}, *options, disable_link_titles=no_titles)


def test_a_page_that_is_written_and_not_read_again_keeps_its_links(site):
    assert site.build_well() == []  # in another folder than before, where all is read again
    assert LINK[2:] in site.html("first")
    site.edit("docs/_templates/home.html", '"Home"', '"Home again"')
    assert site.build_well() == []
    assert '"Home again"' in site.html("first")
    assert LINK[2:] in site.html("first")


@pytest.mark.parametrize("library", mapping())
def test_code_links_to_each_library_that_pages_use(read, library):
    everywhere = [href for page in PAGES for href, _ in code_links(read, page)]
    assert [href for href in everywhere if href.startswith(mapping()[library][0])]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("plt.subplots", "matplotlib.pyplot.subplots.html#matplotlib.pyplot.subplots"),
        ("print", "functions.html#print"),
        ("ts.rollout", "../reference/api.html#trainable_spikes.rollout"),
        ("np.asarray", "numpy.asarray.html#numpy.asarray"),
    ],
)
def test_a_name_leads_to_its_own_entry(read, text, place):
    hrefs = {href for page in PAGES for href, shown in code_links(read, page) if shown == text}
    assert hrefs
    assert all(href.endswith(place) for href in hrefs), hrefs


def test_methods_and_what_calls_return_lead_to_their_entries(read):
    hrefs = {href for page in PAGES for href, _ in code_links(read, page)}
    assert "../reference/api.html#trainable_spikes.Trainer.fit" in hrefs
    assert any(href.endswith("#matplotlib.axes.Axes.axvline") for href in hrefs)


def test_cells_that_measure_are_tables_and_no_code(read):
    for docname in PAGES:
        assert "from measuring import" not in read(f"{docname}.html"), docname


@pytest.mark.parametrize("docname", PAGES)
def test_each_place_is_one_stop_of_the_tab_key_and_no_more(read, docname):
    soup = BeautifulSoup(read(f"{docname}.html"), "html.parser")
    for folded in soup.select("details"):
        folded.decompose()
    stops = [link["href"] for link in soup.select(f"{LINK}:not([tabindex])")]
    assert len(stops) == len(set(stops))
    built_in = re.compile(r"/library/(functions|stdtypes)\.html")
    places = {link["href"] for link in soup.select(LINK)}
    assert set(stops) == {place for place in places if not built_in.search(place)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_links_keep_the_colour_of_the_code_and_show_a_line(browser, address, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{address}{NEURON}.html", wait_until="load")
    link = page.locator(f'{LINK}[href*="matplotlib"]').first
    colours = link.evaluate(
        "link => [link, link.closest('pre')].map(each => getComputedStyle(each).color)"
    )
    line = link.evaluate("link => getComputedStyle(link).textDecorationLine")
    page.close()
    assert colours[0] == colours[1]
    assert line == "underline"


# -- From page to page -------------------------------------------------------


def walked(page, start):
    """The pages that the links to the next page lead through, and what is amiss on the way."""
    names, amiss, before = [], [], None
    page.goto(start, wait_until="domcontentloaded")
    while True:
        name = urlsplit(page.url).path.removeprefix("/").removesuffix(".html")
        back = page.locator("a.left-prev")
        if before and (not back.count() or back.evaluate("link => link.href") != before):
            amiss.append(f"{name} does not lead back to {before}")
        following = page.locator("a.right-next")
        if name in names or not following.count():
            return names + [name] * (name not in names), amiss
        names.append(name)
        before = page.url
        following.click()
        page.wait_for_load_state("domcontentloaded")


def out_of_order(names):
    """Pages that come before the one to read before them, and pages that do not come at all."""
    afters = {name: page.after for name, page in PAGES.items() if page.after}
    missing = [name for name in PAGES if name not in names]
    early = [
        name
        for name, after in afters.items()
        if name in names and (after not in names or names.index(after) > names.index(name))
    ]
    return missing + early


def test_links_to_the_next_page_lead_through_the_course_in_its_order(browser, address):
    page = browser.new_page()
    names, amiss = walked(page, f"{address}index.html")
    page.close()
    assert not amiss
    assert not out_of_order(names)


def test_a_link_past_a_page_is_found(browser, address):
    page = browser.new_page()
    plant(page, f"{NEURON}.html", give("a.right-next", "href", "a-balanced-network.html"))
    names, amiss = walked(page, f"{address}index.html")
    page.close()
    assert amiss
    assert "tutorials/synapses-and-projections" in out_of_order(names)


# -- Inside a page -----------------------------------------------------------

HEADINGS = """() => [...document.querySelectorAll('.bd-article section[id] > :is(h2, h3)')]
  .map(heading => '#' + heading.parentElement.id)"""
CONTENTS = """() => [...document.querySelectorAll('.bd-sidebar-secondary nav a[href^="#"]')]
  .filter(link => link.checkVisibility({visibilityProperty: true}))
  .map(link => link.getAttribute('href'))"""


def unlisted(page):
    """Headings of a page that its visible contents lack, by address."""
    listed = page.evaluate(CONTENTS)
    return [heading for heading in page.evaluate(HEADINGS) if heading not in listed]


@pytest.mark.parametrize("docname", [*PAGES, "index", "course", "reference/api"])
def test_contents_of_a_page_list_every_heading_beside_it(browser, address, docname):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}{docname}.html", wait_until="load")
    found = unlisted(page)
    page.close()
    assert not found


@pytest.mark.parametrize("docname", ["howto/long-rollouts", "reference/api"])
def test_contents_of_a_page_are_a_tap_away_on_a_phone(browser, address, docname):
    page = browser.new_page(viewport={"width": 375, "height": 800})
    page.goto(f"{address}{docname}.html", wait_until="networkidle")
    assert unlisted(page), "the contents stand open and leave no room for the text"
    page.locator("button.secondary-toggle:visible").click()
    assert soon(lambda: not unlisted(page))
    last = page.evaluate(HEADINGS)[-1]
    page.locator(f'nav a[href="{last}"]:visible').last.click()
    heading = page.locator(f"section{last} > :is(h2, h3)").first
    assert soon(lambda: page.url.endswith(last) and heading.is_visible())
    page.close()


def test_a_heading_missing_from_the_contents_is_found(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    plant(page, f"{NEURON}.html", take("nav a[href='#when-it-does-not-work']"))
    page.goto(f"{address}{NEURON}.html", wait_until="load")
    found = unlisted(page)
    page.close()
    assert found == ["#when-it-does-not-work"]


# -- What other programs read ------------------------------------------------

_TO = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def lost_links(read, site, name):
    """Links of a Markdown file of the site to files that are not there."""
    targets = {urldefrag(target)[0] for target in _TO.findall(_CODE.sub("", read(name)))}
    here = {target for target in targets if target and not urlsplit(target).scheme}
    return [target for target in here if not (site / name).parent.joinpath(target).is_file()]


def test_plain_markdown_of_every_page_is_there_and_leads_to_what_is_there(read, built_site):
    paths = [path.relative_to(built_site).as_posix() for path in built_site.rglob("*.md")]
    twins = [path for path in paths if not path.startswith("_")]
    assert {f"{docname}.md" for docname in PAGES} <= set(twins)
    amiss = {name: lost_links(read, built_site, name) for name in [*twins, "llms.txt"]}
    assert not {name: lost for name, lost in amiss.items() if lost}


def test_a_lost_link_in_plain_markdown_is_found(read, built_site):
    def broken(name):
        return read(name).replace(f"{NEURON}.md", f"{NEURON}s.md")

    assert lost_links(broken, built_site, "llms.txt") == [f"{NEURON}s.md"]


def lost_from_404(text, site):
    """Links of the page for a wrong address, which is shown at any, to what is not there."""
    links = {
        urldefrag(each["href"])[0] for each in BeautifulSoup(text, "html.parser").select("a[href]")
    }
    here = {link for link in links if link and not urlsplit(link).scheme}
    return [link for link in here if link[0] != "/" or not (site / link[1:].rstrip("/")).is_file()]


def test_page_for_a_wrong_address_leads_back_from_anywhere(read, built_site):
    text = read("404.html")
    assert not lost_from_404(text, built_site)
    assert "/reference/find-your-problem.html" in text
    broken = text.replace('href="/course.html"', 'href="course.html"')
    assert lost_from_404(broken, built_site) == ["course.html"]
