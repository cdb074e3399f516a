"""The site needs no network and no server: every page works from a folder, search included."""

import re
from pathlib import Path

import pytest
from planting import plant

from symptoms import symptoms_of

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser
RESULTS = "ul.search li a"
DONE = "() => /found|did not match/.test(document.querySelector('.search-summary')?.innerText)"


@pytest.fixture
def page(browser):
    """A page that keeps a list of what it asked for outside of its own folder."""
    page = browser.new_page()
    page.foreign = []

    def note(request):
        if not request.url.startswith(("file://", "data:", "blob:")):
            page.foreign.append(request.url)

    page.on("request", note)
    yield page
    page.close()


def test_every_page_opens_from_a_folder_with_its_figures_and_formulas(page, built_site):
    for path in sorted(built_site.rglob("*.html")):
        if "_static" in path.parts:
            continue
        page.goto(path.as_uri(), wait_until="load")
        images = page.locator("img")
        images.evaluate_all("images => images.forEach(image => { image.loading = 'eager'; })")
        page.wait_for_function("() => [...document.images].every(image => image.complete)")
        broken = "images => images.filter(image => !image.naturalWidth).map(image => image.src)"
        # A 404 page is made for a host, which shows it anywhere: its addresses begin at the root.
        assert path.name == "404.html" or not images.evaluate_all(broken), path
        formulas = page.locator("math")
        assert formulas.count() == path.read_text(encoding="utf8").count("<math ")
    assert not page.foreign


def test_search_works_from_a_folder(page, built_site):
    page.goto((built_site / "search.html").as_uri() + "?q=rematerialisation", wait_until="load")
    page.wait_for_function(DONE)
    found = page.locator(RESULTS).evaluate_all("links => links.map(link => link.href)")
    assert any("/howto/long-rollouts.html" in link for link in found)
    assert not page.foreign


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
    plant(page, "searchindex.js", '"explod":', '"gone":')
    missed = unfound(page, address, [("differentiability", "gradients explode become nan")])
    page.close()
    assert [name for name, *_ in missed] == ["differentiability"]
