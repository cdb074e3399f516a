"""The built site: every measured number in its prose is in claims.json, and nothing else is."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from bs4 import BeautifulSoup

from claims.roles import anchor
from measured_quantities import find_measured

ROOT = Path(__file__).parents[2]
# What is no prose (code, output, formulas), or has its own source: what claims write, what is
# marked as chosen or quoted, the page's provenance, and the tables of what was measured.
NOT_PROSE = (
    "pre, code, math, script, style, .cell_output pre, .cell_output table, .claim, .setting, "
    ".quoted, .provenance, table.measured-claims, table.measured-pages, .citation, .sig, .eqno, "
    ".headerlink, .measured-limit, .measured-here, .claims-list"
)
SOURCES = sorted(
    path.relative_to(ROOT / "docs").with_suffix("").as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if not any(part.startswith("_") for part in path.relative_to(ROOT / "docs").parts)
)


@pytest.fixture(scope="module")
def facts(built_site):
    return json.loads((built_site / "claims.json").read_text())


def article(built_site, docname):
    soup = BeautifulSoup((built_site / f"{docname}.html").read_text(), "html.parser")
    return soup.select_one("article")


def test_file_follows_its_schema(built_site, facts):
    schema = json.loads((built_site / "_static" / "claims.schema.json").read_text())
    jsonschema.validate(facts, schema)


# The bibliography has titles, volumes and pages of papers.
@pytest.mark.parametrize("docname", [s for s in SOURCES if s != "reference/bibliography"])
def test_prose_has_no_measured_number_of_its_own(built_site, docname):
    prose = article(built_site, docname)
    for part in prose.select(NOT_PROSE):
        part.replace_with(" ; ")  # so that words on both sides of it are not read as one
    found = [words for _, _, words in find_measured(prose.get_text(" ", strip=True))]
    assert not found, f"in neither a claim nor a quotation: {found}"


@pytest.mark.parametrize("docname", SOURCES)
def test_what_prose_shows_is_in_the_file(built_site, facts, docname):
    shown = {anchor(claim["name"]): claim["shown"] for claim in facts["claims"]}
    quoted = {(figure["page"], figure["text"]) for figure in facts["quoted"]}
    prose = article(built_site, docname)
    for link in prose.select("a.claim"):
        name = link["href"].partition("#")[2]
        assert name in shown
        text = link.get_text()
        # Words may stand in for a value; a number is the claim's. In a table the value stands
        # alone, and that it was recorded, and where, only in the tooltip.
        expected = shown[name]
        if link.find_parent("td"):
            expected, text = expected.split(" (")[0], text.removesuffix(" (older code)")
        assert text == expected or not any(c.isdigit() for c in text), (name, text)
    for figure in prose.select(".quoted"):
        assert (docname, figure.get_text()) in quoted


def test_every_claim_of_the_file_is_in_the_list(built_site, facts):
    marks = article(built_site, "reference/measured").find_all(id=re.compile("^claim-"))
    rows = {mark["id"]: mark.find_parent("tr").get_text() for mark in marks}
    for claim in facts["claims"]:
        row = rows[anchor(claim["name"])]
        row = row.translate(str.maketrans("‘’“”", "''\"\""))  # quotes are made typographic
        assert claim["statement"] in row
        assert claim["shown"] in row


def test_cited_figures_name_an_entry_of_the_bibliography(facts):
    keys = (ROOT / "docs" / "references.bib").read_text()
    for claim in facts["claims"]:
        if claim["reported"]:
            assert f"{{{claim['reported']['cite']},\n" in keys, claim["name"]
