"""The site needs no network and no server: every page works from a folder, search included."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as NothingHappens

from pages.symptoms import symptoms_of
from planting import add, faults, give, plant, planted_copy, put_into, rename, swap, take
from visits import problems_of_parts, watch

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser
RESULTS = "ul.search li a"
NEURON = "tutorials/a-first-neuron.html"
WAIT = 5000  # milliseconds for results
# Results show their pages' words where a browser may read them, which it may not in a folder.
EXCERPTS = re.compile(r"(fetch|CORS|URL scheme|request failed: file://\S+\.html)")
# What is undone, the file and its change, what the check says.
FAULTS = [
    (
        "addresses begin at the root of a host",
        (NEURON, give("figure img", "src", "/_images/figure.svg")),
        "image does not load: ",
    ),
    (
        "style sheets are elsewhere",
        (NEURON, give("link[rel=stylesheet]", "href", "/_static/site.css")),
        "request failed: file:///_static/site.css",
    ),
    (
        "formulas are drawn by a script from a network",
        (NEURON, put_into("head", '<script src="https://cdn.invalid/mathjax.js"></script>')),
        "request leaves the site: https://cdn.invalid/mathjax.js",
    ),
    (
        "formulas are left as LaTeX",
        (NEURON, rename("math", "span")),
        "formula is not drawn: ",
    ),
    (
        "a script reads a file, as only servers let it",
        ("_static/copy-page.js", add("fetch('../claims.json');")),
        "claims.json",
    ),
]
SEARCH_FAULTS = [
    (
        "the index is read and not loaded as a script",
        (
            "search.html",
            give("script[src*=searchindex]", "src", "searchindex.json"),
        ),
        "searchindex.json",
    ),
    (
        "the script that searches is not there",
        ("search.html", take("script[src*=searchtools]")),
        "the search does not end",
    ),
    (
        "the index lacks a word",
        ("searchindex.js", swap("rematerialis", "dematerialis")),
        "expected howto/long-rollouts among the results, got []",
    ),
]
DONE = "() => /found|did not match/.test(document.querySelector('.search-summary')?.innerText)"


def test_every_page_opens_from_a_folder_with_its_figures_and_formulas(page, built_site):
    loading, formulas = watch(page, "file://"), 0
    for path in sorted(built_site.rglob("*.html")):
        # A 404 page is made for a host, which shows it anywhere: its addresses begin at the root.
        if "_static" not in path.parts and path.name != "404.html":
            assert not folder_problems(page, loading, path), path
            formulas += path.read_text(encoding="utf8").count("<math ")
    assert formulas > 100


@pytest.mark.parametrize(("fault", "says"), faults(FAULTS))
def test_fault_that_is_planted_in_a_folder_is_found(page, built_site, tmp_path, fault, says):
    site = planted_copy(built_site, tmp_path / "site", *fault)
    found = folder_problems(page, watch(page, "file://"), site / NEURON)
    assert [problem for problem in found if says in problem], found


def folder_problems(page, loading, path):
    """Return what is wrong with a page that is opened without a server."""
    loading.clear()
    page.goto(path.as_uri(), wait_until="load")
    parts = problems_of_parts(page)
    return [*loading, *parts["images"], *parts["formulas"]]


def test_404_page_asks_a_folder_for_nothing_elsewhere(page, built_site):
    found = watch(page, "file://")
    page.goto((built_site / "404.html").as_uri(), wait_until="load")
    assert not [problem for problem in found if "leaves the site" in problem]


def test_search_works_from_a_folder(page, built_site):
    assert not search_problems(page, built_site)


@pytest.mark.parametrize(("fault", "says"), faults(SEARCH_FAULTS))
def test_fault_that_is_planted_in_the_search_of_a_folder_is_found(
    page, built_site, tmp_path, fault, says
):
    site = planted_copy(built_site, tmp_path / "site", *fault)
    found = search_problems(page, site)
    assert [problem for problem in found if says in problem], found


def search_problems(page, site):
    """Return what is wrong with a search for a word that one page explains."""
    found = watch(page, "file://")
    page.goto((site / "search.html").as_uri() + "?q=rematerialisation", wait_until="load")
    try:
        page.wait_for_function(DONE, timeout=WAIT)
    except NothingHappens:
        found.append("the search does not end")
    links = page.locator(RESULTS).evaluate_all("links => links.map(link => link.href)")
    if not any("/howto/long-rollouts.html" in link for link in links):
        found.append(f"expected howto/long-rollouts among the results, got {links}")
    return [problem for problem in found if not EXCERPTS.search(problem)]


def symptoms():
    """Pairs of a page and a symptom that it explains, in words that somebody could type."""
    pages = sorted((ROOT / "docs").glob("*/*.md"))
    for path in pages:
        for symptom in symptoms_of(path.read_text(encoding="utf8")):
            words = re.findall(r"[a-z]{3,}", re.sub(r"\{\w+\}|<[^>]+>", "", symptom.lower()))
            yield path.stem, " ".join(words)


def unfound(page, address, asked):
    """The symptoms whose page is not among what the search finds, with what it finds first."""
    missed = []
    for name, query in asked:
        page.goto(f"{address}search.html?q={query.replace(' ', '+')}", wait_until="load")
        page.wait_for_function(DONE)
        found = page.locator(RESULTS).evaluate_all("links => links.map(link => link.href)")
        if not any(f"/{name}.html" in link for link in found):
            missed.append((name, query, found[:3]))
    return missed


def test_search_finds_every_symptom_by_its_words(browser, address):
    asked = list(symptoms())
    assert len(asked) > 40
    page = browser.new_page()
    missed = unfound(page, address, asked)
    page.close()
    assert not missed


def test_search_that_lacks_a_word_is_found(browser, address):
    page = browser.new_page()
    plant(page, "searchindex.js", swap('"explod":', '"gone":'))
    missed = unfound(page, address, [("differentiability", "gradients explode become nan")])
    page.close()
    assert [name for name, *_ in missed] == ["differentiability"]
