"""Claims on a site: what prose shows, the list, the file, and what executes after an edit."""

import json

import jsonschema
from bs4 import BeautifulSoup


def text_of(site, docname):
    soup = BeautifulSoup(site.html(docname), "html.parser")
    return soup.select_one("article").get_text(" ", strip=True)


def test_prose_shows_values_and_leads_to_the_list(site):
    soup = BeautifulSoup(site.html("first"), "html.parser")
    shown = [(a.get_text(), a["href"]) for a in soup.select("a.claim")]
    assert shown == [
        ("41", "reference/measured.html#claim-constant"),
        ("seeds agree", "reference/measured.html#claim-halves"),
        ("0.6 ± 0.141", "reference/measured.html#claim-halves"),
        ("1", "reference/measured.html#claim-family--one"),
    ]
    assert "at least 40" in soup.select_one("a.claim")["title"]
    listed = BeautifulSoup(site.html("reference/measured"), "html.parser")
    row = listed.select_one("#claim-halves").find_parent("tr").get_text(" ", strip=True)
    for part in ("Two seeds agree", "0.6 ± 0.141", "at most 0.9", "2", "holds"):
        assert part in row


def test_a_cell_that_measures_is_a_folded_table_of_what_it_measured(site):
    soup = BeautifulSoup(site.html("first"), "html.parser")
    (table,) = soup.select(".measured-here")
    assert table.details is not None
    assert not table.details.has_attr("open")
    cells = [row.get_text(" ", strip=True) for row in table.select("tbody tr")]
    assert cells[0] == "The constant is large 41 at least 40"
    assert cells[1] == "Two seeds agree 0.6 ± 0.141 over 2 seeds at most 0.9"
    assert cells[2].startswith("Numbers by their names [one] 1 at least 1")
    assert "from measuring import" not in site.html("first")
    assert "vnd.trainable-spikes" not in site.html("first")


def test_a_moved_bound_executes_nothing_and_shows_where_it_is_named(site):
    site.edit("docs/first.claims.toml", "at_least = 40", "at_least = 41")
    assert site.build_well() == []
    assert "at least 41" in text_of(site, "first")
    assert "at least 41" in text_of(site, "reference/measured")


def test_a_reworded_statement_executes_nothing_and_shows(site):
    site.edit("docs/first.claims.toml", "Two seeds agree", "Two seeds are alike")
    assert site.build_well() == []
    assert "Two seeds are alike" in text_of(site, "first")
    assert "Two seeds are alike" in text_of(site, "reference/measured")


def test_a_bound_moved_past_its_value_fails_without_a_run(site):
    site.edit("docs/first.claims.toml", "at_least = 40", "at_least = 42")
    site.edit("docs/first.claims.toml", "at_most = 0.9", "at_most = 0.5")
    status, output = site.build()
    assert status != 0
    assert "docs/first.md: claim 'constant': expected at least 42, got 41" in output
    assert "docs/first.md: claim 'halves': expected at most 0.5, got 0.6" in output
    assert site.executed() == []


def test_page_ends_in_where_its_run_came_from_not_the_rendering(site):
    def line():
        return BeautifulSoup(site.html("second"), "html.parser").select_one(".provenance").text

    before = line()
    assert "with Python" in before
    site.edit("docs/second.md", "# Second", "# Second, rewritten")
    site.build_well()
    assert line() == before


def test_file_follows_its_schema_and_holds_what_prose_shows(site):
    html = site.root / "docs" / "_build" / "html"
    facts = json.loads((html / "claims.json").read_text())
    schema = json.loads((html / "_static" / "claims.schema.json").read_text())
    jsonschema.validate(facts, schema)
    named = {c["name"]: (c["entry"], c["case"], c["shown"]) for c in facts["claims"]}
    assert named == {
        "constant": ("constant", "", "41"),
        "halves": ("halves", "", "0.6 ± 0.141"),
        "family[one]": ("family", "one", "1"),
        "family[two]": ("family", "two", "2"),
    }
    assert {p["page"]: p["title"] for p in facts["pages"]} == {"first": "First", "second": "Second"}


def test_another_value_is_shown_wherever_prose_names_it(site):
    site.edit("docs/index.md", "Ordinary Markdown", "The constant: {claim}`constant`. Ordinary")
    site.build_well()
    site.edit("src/trainable_spikes/__init__.py", "41", "43")
    assert site.build_well() == ["first", "second"]
    for docname in ("first", "index", "reference/measured"):
        assert "43" in text_of(site, docname), docname


def test_misses_of_all_pages_and_failed_cells_come_in_one_report(site):
    site.edit("src/trainable_spikes/__init__.py", "41", "39")
    site.edit("docs/second.md", "* 1000", "* undefined_name")
    status, output = site.build()
    assert status != 0
    assert "docs/first.md: claim 'constant': expected at least 40, got 39" in output
    assert "raised NameError" in output


def test_unknown_claim_in_prose_fails_the_build_and_names_the_closest(site):
    site.edit("docs/first.md", "{claim}`constant`", "{claim}`constent`")
    status, output = site.build()
    assert status != 0
    assert "nothing measures 'constent'; the closest is 'constant'" in output


def test_a_misspelt_name_in_a_cell_is_named_with_file_and_line(site):
    site.edit("docs/first.md", 'measure("constant"', 'measure("constent"')
    status, output = site.build()
    assert status != 0
    assert "docs/first.md:33: measures 'constent'" in output
    assert "the closest is 'constant'" in output
    assert "docs/first.claims.toml:1: [constant] has no value" in output


def test_a_bound_on_what_depends_on_the_machine_is_refused(site):
    site.edit("docs/first.claims.toml", "at_least = 40", "at_least = 40\nmachine = true")
    status, output = site.build()
    assert status != 0
    assert "docs/first.claims.toml:1: [constant] expected no bound on what depends" in output
