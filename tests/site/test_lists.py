"""The long lists of the site: found by words, opened by an address, whole without scripts."""

from __future__ import annotations

import json
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from pages.symptoms import GROUPS, groups_of, symptoms_of
from planting import plant, swap
from visits import look, show_as, soon, watch

ROOT = Path(__file__).parents[2]
LIST, PROBLEMS = "reference/measured.html", "reference/find-your-problem.html"
HIGHEST = 6000  # pixels of the folded list
SHOWN = ".claims-list tbody tr:not([hidden])"
ROW_IN_VIEW = """id => {
  const place = document.getElementById(id), box = place.getBoundingClientRect();
  return place.checkVisibility() && box.top >= 0 && box.bottom <= innerHeight;
}"""
PARTS = """parts => parts.map(part => [
  part.dataset.page,
  part.querySelector('summary').innerText,
  part.querySelectorAll('tbody tr').length,
])"""
HIDDEN = "rows => rows.filter(row => !row.checkVisibility()).length"
TOLD = "form.list-filter output"


@pytest.fixture(scope="module")
def claims(built_site):
    return json.loads((built_site / "claims.json").read_text())["claims"]


@pytest.fixture(scope="module")
def recorded(claims):
    found = [claim for claim in claims if claim["recorded"]]
    assert 0 < len(found) < len(claims)
    return found


def field(page, name):
    return page.locator(f"form.list-filter label > [name={name}]")


def anchor(page):
    """The fragment of the last row of the list, which is far down when it is unfolded."""
    return page.locator(".claims-list td [id]").last.get_attribute("id")


def in_view(page, fragment):
    return soon(lambda: page.evaluate(ROW_IN_VIEW, fragment), 3)


def test_list_is_folded_by_page_with_counts(page, address, claims):
    page.goto(address + LIST, wait_until="load")
    assert page.evaluate("document.documentElement.scrollHeight") < HIGHEST
    assert page.locator(".claims-list details[open]").count() == 0
    for name, summary, rows in page.locator(".claims-list details").evaluate_all(PARTS):
        here = [claim for claim in claims if claim["page"] == name]
        earlier = sum(bool(claim["recorded"]) for claim in here)
        assert rows == len(here)
        assert summary.endswith(f": {rows} claims" + f", {earlier} recorded" * bool(earlier))
    assert page.locator(TOLD).inner_text() == f"{len(claims)} claims"


def test_words_hide_other_rows_and_pages_count_what_is_left(page, address, claims):
    page.goto(address + LIST, wait_until="load")
    field(page, "words").fill("rheobase NEURON")
    rows = [text.lower() for text in page.locator(SHOWN).all_text_contents()]
    assert 0 < len(rows) < len(claims)
    assert all("neuron" in row or "rheobase" in row for row in rows)
    assert page.locator(TOLD).inner_text() == f"{len(rows)} of {len(claims)} claims"
    counts = page.locator(".claims-list details:not([hidden]) summary span").all_inner_texts()
    assert sum(int(count.split(" of ")[0]) for count in counts) == len(rows)
    assert page.locator(SHOWN).first.is_visible()  # so few are unfolded
    page.get_by_role("button", name="Clear").click()
    assert soon(lambda: page.locator(SHOWN).count() == len(claims))


def test_each_field_leaves_the_rows_that_it_names(page, address, claims, recorded):
    page.goto(address + LIST, wait_until="load")
    total, held = len(claims), [c for c in claims if c["verdict"] == "holds"]
    rooms = [c for c in claims if c["least_room"]]
    tight = [c for c in rooms if abs(c["least_room"]["least"]) < abs(c["value"]) / 10]
    neuron = [c for c in claims if c["page"] == "tutorials/a-first-neuron"]
    for name, option, expected in [
        ("page", "tutorials/a-first-neuron", len(neuron)),
        ("verdict", "holds", len(held)),
        ("verdict", "measured", total - len(held)),
        ("recorded", "yes", len(recorded)),
        ("recorded", "no", total - len(recorded)),
        ("room", "small", len(tight)),
        ("room", "large", len(rooms) - len(tight)),
        ("room", "none", total - len(rooms)),
    ]:
        field(page, name).select_option(option)
        assert 0 < expected < total, option
        assert page.locator(SHOWN).count() == expected, option
        field(page, name).select_option("")


def test_filter_is_in_the_address_which_shows_the_same_list(page, address):
    page.goto(address + LIST, wait_until="load")
    field(page, "words").fill("loss")
    field(page, "verdict").select_option("holds")
    shown = page.locator(SHOWN).count()
    filtered = page.url
    page.goto("about:blank")
    page.goto(filtered, wait_until="load")
    assert field(page, "words").input_value() == "loss"
    assert page.locator(SHOWN).count() == shown


def test_address_opens_the_row_that_it_names(page, address):
    page.goto(address + LIST, wait_until="load")
    fragment = anchor(page)
    page.goto("about:blank")
    page.goto(f"{address}{LIST}#{fragment}", wait_until="load")
    assert in_view(page, fragment)
    assert page.locator(".claims-list details[open]").count() == 1


def test_another_fragment_opens_its_row_though_a_filter_hides_it(page, address):
    page.goto(f"{address}{LIST}?words=nothing-has-this-name", wait_until="load")
    assert page.locator(SHOWN).count() == 0
    assert page.locator(TOLD).inner_text().startswith("None of ")
    fragment = anchor(page)
    page.evaluate("fragment => { location.hash = fragment; }", fragment)
    assert in_view(page, fragment)
    assert page.url == f"{address}{LIST}#{fragment}"


def test_keys_alone_filter_open_and_sort(page, address):
    page.goto(address + LIST, wait_until="load")
    field(page, "words").focus()
    page.keyboard.type("neuron")
    assert "words=neuron" in page.url
    page.get_by_role("button", name="Clear").press("Enter")
    summary = page.locator(".claims-list summary").first
    summary.press("Enter")
    heading = page.locator(".claims-list thead button").first
    assert soon(heading.is_visible)
    heading.press("Enter")
    assert page.locator(".claims-list th").first.get_attribute("aria-sort") == "ascending"


def test_cases_of_a_family_repeat_what_is_said_of_all_in_short(page, address, claims):
    page.goto(address + LIST, wait_until="load")
    by_page = sorted(claims, key=lambda claim: claim["page"])
    said = [(claim["page"], claim["statement"]) for claim in by_page]
    again = sum(one == other for one, other in pairwise(said))
    assert again > 0
    assert page.locator(".says.is-again").count() == again


@pytest.mark.parametrize("name", [f"{LIST}?page=tutorials/a-first-neuron", f"{PROBLEMS}?words=mV"])
@pytest.mark.parametrize(("device", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_lists_that_are_filtered_fit_and_are_accessible(page, address, name, device, scheme):
    show_as(page, device, scheme)
    found = look(page, watch(page, address), address + name)
    assert page.locator("section.symptoms li:visible, .claims-list tr:visible").count() > 2
    assert not [*found["width"], *found["words"], *found["axe"]]


@pytest.mark.parametrize("name", [LIST, PROBLEMS])
def test_without_scripts_everything_is_there_by_page(browser, address, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + name, wait_until="load")
    rows = page.locator(".claims-list tbody tr, section.symptoms li")
    assert rows.count() > 50
    assert rows.evaluate_all(HIDDEN) == 0
    assert not page.locator("form.list-filter").is_visible()
    context.close()


def test_a_list_that_its_script_does_not_fold_is_noticed(page, address):
    plant(page, "filter-list.js*", swap("element.open = fields", "element.open = true || fields"))
    page.goto(address + LIST, wait_until="load")
    assert page.evaluate("document.documentElement.scrollHeight") > HIGHEST


def test_words_find_a_symptom_and_hide_groups_without_one(page, address):
    page.goto(address + PROBLEMS, wait_until="load")
    groups = page.locator("section.symptoms").count()
    field(page, "words").fill("mV ohm")
    items = page.locator("section.symptoms li:visible")
    assert items.all_inner_texts()[0].startswith("units do not match: mV != ohm")
    assert 0 < page.locator("section.symptoms:visible").count() < groups


def all_symptoms():
    sources = [path.read_text(encoding="utf8") for path in (ROOT / "docs").glob("*/*.md")]
    return sorted({symptom for text in sources for symptom in symptoms_of(text)})


def test_each_symptom_is_in_exactly_one_group(built_site):
    groups = tomllib.loads((ROOT / "docs" / GROUPS).read_text(encoding="utf8"))
    assert {symptom for symptom in all_symptoms() if len(groups_of(symptom, groups)) != 1} == set()
    soup = BeautifulSoup((built_site / PROBLEMS).read_text(), "html.parser")
    sections = soup.select("section.symptoms")
    assert [each.h2.find(string=True) for each in sections] == list(groups)
    assert len(soup.select("section.symptoms li")) == len(all_symptoms())


def test_words_of_a_group_are_those_of_some_symptom():
    groups = tomllib.loads((ROOT / "docs" / GROUPS).read_text(encoding="utf8"))
    idle = [
        words
        for group in groups.values()
        for words in group
        if not any(words.lower() in symptom.lower() for symptom in all_symptoms())
    ]
    assert not idle


def test_symptom_without_a_group_fails_the_build_which_names_it_and_the_groups(site):
    page = "---\ntitle: Problems\ndescription: What goes wrong here.\n---\n\n# Problems\n\n"
    folder = site.root / "docs"
    (folder / GROUPS).write_text('"It is silent" = ["never spikes"]\n"It is slow" = ["slow"]\n')
    (folder / "problems.md").write_text(page + "```{symptoms}\n```\n")
    leads = "## When it does not work\n\n**It never spikes.** Wait.\n\n**Odd.** Look.\n\n"
    site.edit("docs/first.md", "```{math}", leads + "```{math}")
    site.edit("docs/index.md", "first\n", "first\nproblems\n")
    status, output = site.build()
    assert status != 0
    assert "'Odd' in one group of docs/reference/symptoms.toml, got none" in output
    assert "'It is silent', 'It is slow'" in output
    assert "It never spikes" in site.html("problems")
