"""Claims: the call in a page, what prose shows of it, the list, the file, and the lint."""

import json
import math
import shutil
from pathlib import Path

import brainunit as u
import jsonschema
import pytest
from bs4 import BeautifulSoup

import claims
from changed_inputs import CHANGES
from claim_record import MIME, RECORD_VARIABLE, Claim
from claims import ClaimError, claim, measure
from claims_diff import moved
from claims_lint import claims_made, lint, prose_of
from evidence import load_evidence, record
from falsified_record import load_falsified, save_falsified
from falsify import missed
from margins_record import load_margins, save_margins
from measured_quantities import find_measured
from page_rerun import after, rerun
from page_source import list_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture
def published(monkeypatch):
    found = []
    monkeypatch.setattr(claims, "publish_display_data", found.append)
    return found


def test_claim_within_its_bound_is_published_whole(published):
    claim("a-loss", 0.69316, "The loss is ln 2", equals=math.log(2), within=1e-3, show=".4f")
    (data,) = published
    kept = Claim(**data[MIME])
    assert kept == Claim(
        name="a-loss",
        statement="The loss is ln 2",
        text="0.6932",
        value=0.69316,
        spread=None,
        values=[0.69316],
        seeds=[],
        unit="",
        bound="within 0.001 of 0.6931",
        room=kept.room,
    )
    assert kept.room == pytest.approx(1e-3 - (0.69316 - math.log(2)))
    assert "a-loss" in data["text/plain"]


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        (0.5, {"at_least": 0.6}, "at least 0.6"),
        (0.7, {"at_most": 0.6}, "at most 0.6"),
        (0.5, {"at_least": 0.1, "at_most": 0.4}, "at least 0.1, at most 0.4"),
        (0.5, {"equals": 0.6, "within": 0.05}, "within 0.05 of 0.6"),
        (math.nan, {}, "a finite value"),
        (math.inf, {"at_least": 0.6}, "at least 0.6"),
    ],
)
def test_claim_outside_its_bound_raises_with_page_value_and_bound(
    published, monkeypatch, value, bounds, expected
):
    monkeypatch.setenv("TRAINABLE_SPIKES_PAGE", "docs/howto/page.md")
    with pytest.raises(ClaimError) as error:
        claim("bad", value, "It is so", **bounds)
    message = str(error.value)
    assert message.startswith("docs/howto/page.md: claim 'bad': expected " + expected)
    assert f"got {value:g}" in message
    assert published, "what was measured is kept even then, for the report"


def test_mean_over_seeds_is_held_and_the_message_gives_every_seed(published):
    claim("mean", [0.9, 0.5], "The mean is high", at_least=0.7, seeds=[3, 4])
    assert published[0][MIME]["seeds"] == [3, 4]
    assert published[0][MIME]["spread"] == pytest.approx(0.4 / math.sqrt(2))
    with pytest.raises(ClaimError, match=r"got 0\.7.*by seed \[0\.9, 0\.5\]"):
        claim("mean", [0.9, 0.5], "The mean is high", at_least=0.71, seeds=[3, 4])


def test_recording_margins_keeps_a_miss_instead_of_raising(published, monkeypatch):
    monkeypatch.setenv(RECORD_VARIABLE, "1")
    claim("bad", 0.5, "It is so", at_least=0.6)
    assert Claim(**published[0][MIME]).room == pytest.approx(-0.1)
    assert not Claim(**published[0][MIME]).holds


@pytest.mark.parametrize(
    ("value", "show", "seeds", "text"),
    [
        (0.914, ".1%", [], "91.4 %"),
        ([0.91, 0.93], ".1%", [0, 1], "92.0 ± 1.4 %"),
        ([0.03, 0.05], ".1pp", [0, 1], "4.0 ± 1.4 points"),
        (0.45 * u.mV, ".2f", [], "0.45 mV"),
        ([1.0 * u.mV, 0.002 * u.volt], ".1f", [0, 1], "1.5 ± 0.7 mV"),
        (3.2e-5, ".0e", [], "3 × 10⁻⁵"),
        (-2.0, ".0f", [], "−2"),
        (7, "d", [], "7"),
    ],
)
def test_value_is_shown_with_spread_and_unit(value, show, seeds, text):
    show = ".0f" if show == "d" else show
    assert measure("a", value, "It is so", show=show, seeds=seeds).text == text


@pytest.mark.parametrize(
    ("within", "show", "bound"),
    [
        (0.03, ".1%", "within 3.0 % of 50.0 %"),
        (0.03, ".0pp", "within 3 points of 50 points"),
        (1e-9, ".0%", "within 1.0 × 10⁻⁹ of 50 %"),
    ],
)
def test_bound_around_a_share_is_shown_as_the_share_is(within, show, bound):
    assert measure("a", 0.5, "It is so", equals=0.5, within=within, show=show).bound == bound


def test_bounds_may_come_in_another_multiple_of_the_unit():
    kept = measure("a", 1.5 * u.mV, "It is so", at_most=0.002 * u.volt)
    assert (kept.unit, kept.room) == ("mV", pytest.approx(0.5))


@pytest.mark.parametrize(
    ("value", "named", "message"),
    [
        (True, {}, "got a truth value"),
        (1.0, {"at_most": 1.0 * u.mV}, "one unit, or none"),
        (1.0 * u.mV, {"at_most": 1.0}, "one unit, or none"),
        ([1.0, 2.0], {}, "expected a seed for each of 2 values"),
        (1.0, {"equals": 1.0}, "`equals` and `within` together"),
        (1.0, {"at_most": 2.0, "machine": True}, "depends on the machine"),
    ],
)
def test_wrong_call_says_what_to_do(value, named, message):
    with pytest.raises((TypeError, ValueError), match=message):
        measure("a", value, "It is so", **named)


def test_ratio_of_times_may_be_held_on_a_page_with_a_cell_that_runs_alone(monkeypatch):
    monkeypatch.setenv("TRAINABLE_SPIKES_PAGE_ALONE", "1")
    assert measure("a", 1.2, "It is so", at_most=3, machine=True).holds
    with pytest.raises(ValueError, match="depends on the machine"):
        measure("a", 1.2 * u.second, "It is so", at_most=3 * u.second, machine=True)


# The site


def test_prose_shows_values_and_leads_to_the_list(site):
    soup = BeautifulSoup(site.html("first"), "html.parser")
    shown = [(a.get_text(), a["href"]) for a in soup.select("a.claim")]
    assert shown == [
        ("41", "reference/measured.html#claim-constant"),
        ("seeds agree", "reference/measured.html#claim-halves"),
        ("0.6 ± 0.141", "reference/measured.html#claim-halves"),
    ]
    assert "at least 40" in soup.select_one("a.claim")["title"]
    listed = BeautifulSoup(site.html("reference/measured"), "html.parser")
    row = listed.select_one("#claim-halves").find_parent("tr").get_text(" ", strip=True)
    for part in ("Two seeds agree", "0.6 ± 0.141", "at most 0.9", "2", "holds", "first"):
        assert part in row


def test_cells_of_claims_are_folded_and_cannot_be_copied(site):
    soup = BeautifulSoup(site.html("first"), "html.parser")
    (cell,) = soup.select("div.tag_claim")
    assert cell.details is not None
    assert not cell.details.has_attr("open")
    assert "constant = 41, at least 40" in cell.get_text()
    assert "vnd.trainable-spikes" not in site.html("first")


def test_page_ends_in_where_its_run_came_from_not_the_rendering(site):
    def line():
        return BeautifulSoup(site.html("second"), "html.parser").select_one(".provenance").text

    before = line()
    assert "with Python" in before
    site.edit("docs/second.md", "# Second", "# Second, rewritten")
    site.build_well()
    assert (
        BeautifulSoup(site.html("second"), "html.parser").select_one(".provenance").text == before
    )


def test_file_follows_its_schema_and_holds_what_prose_shows(site):
    html = site.root / "docs" / "_build" / "html"
    facts = json.loads((html / "claims.json").read_text())
    schema = json.loads((html / "_static" / "claims.schema.json").read_text())
    jsonschema.validate(facts, schema)
    assert [c["name"] for c in facts["claims"]] == ["constant", "halves"]
    assert [c["shown"] for c in facts["claims"]] == ["41", "0.6 ± 0.141"]
    assert {p["page"]: p["title"] for p in facts["pages"]} == {"first": "First", "second": "Second"}


def test_another_value_is_shown_wherever_prose_names_it(site):
    site.edit("docs/index.md", "Ordinary Markdown", "The constant: {claim}`constant`. Ordinary")
    site.build_well()
    site.edit("src/trainable_spikes/__init__.py", "41", "43")
    assert site.build_well() == ["first", "second"]
    for docname in ("first", "index", "reference/measured"):
        soup = BeautifulSoup(site.html(docname), "html.parser")
        assert "43" in soup.select_one("article").get_text(), docname


def test_missed_bound_fails_the_build_with_value_bound_and_page(site):
    site.edit("src/trainable_spikes/__init__.py", "41", "39")
    status, output = site.build()
    assert status != 0
    assert "docs/first.md: claim 'constant': expected at least 40, got 39" in output


def test_unknown_claim_in_prose_fails_the_build_and_names_close_ones(site):
    site.edit("docs/first.md", "{claim}`constant`", "{claim}`constent`")
    status, output = site.build()
    assert status != 0
    assert "no page claims 'constent'; claims of a similar name: constant" in output


def test_two_pages_with_a_claim_of_one_name_fail_the_build(site):
    extra = 'import trainable_spikes\nfrom claims import claim\nclaim("halves", 1, "Twice")\n'
    site.edit("docs/second.md", "import trainable_spikes\n", extra)
    status, output = site.build()
    assert status != 0
    assert "second: expected a name of its own for claim 'halves', but first has one" in output


# Recorded evidence, margins and changed inputs


@pytest.fixture
def project(tmp_path):
    """The fixture site's sources, not built."""
    shutil.copytree(Path(__file__).parent / "fixture_site", tmp_path / "project")
    (tmp_path / "project" / "docs" / "evidence").mkdir()
    return tmp_path / "project"


def test_recorded_evidence_is_marked_and_called_old_once_its_code_changes(project):
    script = project / "docs" / "evidence" / "long.py"
    script.write_text("import trainable_spikes\n")
    record(str(script), "first", [measure("long", 0.87, "Long training pays", show=".1%")])
    (found,) = load_evidence(project)
    assert (found.page, found.claims[0].text) == ("first", "87.0 %")
    assert not found.stale(project)
    (project / "src" / "trainable_spikes" / "__init__.py").write_text("CONSTANT = 42\n")
    assert found.stale(project)


def test_evidence_is_not_called_old_for_a_module_that_it_does_not_import(project):
    package = project / "src" / "trainable_spikes"
    (package / "other.py").write_text("CONSTANT = 1\n")
    (package / "used.py").write_text("from trainable_spikes.deeper import CONSTANT\n")
    (package / "deeper.py").write_text("CONSTANT = 1\n")
    script = project / "docs" / "evidence" / "long.py"
    script.write_text("from trainable_spikes import used\n")
    record(str(script), "first", [measure("long", 0.87, "Long training pays")])
    (found,) = load_evidence(project)
    (package / "other.py").write_text("CONSTANT = 2\n")
    assert not found.stale(project)
    (package / "deeper.py").write_text("CONSTANT = 2\n")
    assert found.stale(project)


def test_evidence_belongs_to_the_scripts_beside_it_too_and_names_its_device(project):
    folder = project / "docs" / "evidence"
    (folder / "shared.py").write_text("CONSTANT = 1\n")
    script = folder / "long.py"
    script.write_text("from shared import CONSTANT\n")
    record(str(script), "first", [measure("long", 0.87, "It pays")], device="a GPU")
    (found,) = load_evidence(project)
    assert found.provenance.device == "a GPU"
    assert not found.stale(project)
    (folder / "shared.py").write_text("CONSTANT = 2\n")
    assert found.stale(project)


def test_evidence_with_a_missed_claim_is_not_written(project):
    script = project / "docs" / "evidence" / "long.py"
    script.write_text("")
    with pytest.raises(SystemExit, match=r"missed: long = 0\.5"):
        record(str(script), "first", [measure("long", 0.5, "It pays", at_least=0.6)])
    assert not load_evidence(project)


def test_margins_belong_to_the_code_they_were_measured_on(project):
    (first, second) = list_pages(project)
    save_margins(project, "3.11", first, [{"halves": 0.3}, {"halves": 0.2}])
    save_margins(project, "3.13", first, [{"halves": 0.25}, {"halves": 0.1}])
    room = load_margins(project, [first, second])["halves"]
    assert (room.least, room.draws, room.stacks) == (0.1, 2, ["3.11", "3.13"])
    package = project / "src" / "trainable_spikes"
    (package / "other.py").write_text("# nothing that the page imports\n")
    assert load_margins(project, [first, second])
    (package / "__init__.py").write_text("CONSTANT = 42\n")
    assert load_margins(project, [first, second]) == {}
    (package / "__init__.py").write_text("CONSTANT = 41\n")
    assert load_margins(project, [first, second])
    path = project / "docs" / "first.md"
    path.write_text(path.read_text().replace("[0.5, 0.7]", "[0.5, 0.8]"))
    assert load_margins(project, list_pages(project)) == {}


def test_claim_that_a_changed_input_breaks_is_found(site):
    (first, _) = list_pages(site.root)
    smaller = after("import trainable_spikes; trainable_spikes.CONSTANT = 39", first)
    (run,) = rerun(site.root, [smaller])
    assert [claim.name for claim in run.claims] == ["constant", "halves"]
    assert missed(run) == ["constant"]


def test_claims_behind_a_failing_cell_count_under_a_changed_input(site):
    site.edit("docs/first.md", 'print("first constant"', 'raise ValueError("planted"); (0')
    (first, _) = list_pages(site.root)
    undefined = after("import trainable_spikes; trainable_spikes.CONSTANT = float('nan')", first)
    up_to_failure, whole = (
        rerun(site.root, [undefined], past_errors=past_errors)[0] for past_errors in (False, True)
    )
    assert up_to_failure.claims == []
    assert missed(whole) == ["constant"]
    assert whole.errors == ["ValueError: planted"]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_changed_input_ends_at_a_claim_of_its_page(change):
    pages = {page.docname: page for page in list_pages(ROOT)}
    for docname, last in change.until.items():
        assert not last or last in [made.name for made in claims_made(pages[docname])]


def test_list_says_under_which_changes_a_claim_fails(project):
    (first, _) = list_pages(project)
    save_falsified(project, first, {"halves": [CHANGES[0].name, "gone"], "constant": []})
    assert load_falsified(project) == {"halves": [CHANGES[0].clause], "constant": []}


@pytest.mark.parametrize("page", list_pages(ROOT), ids=lambda page: page.docname)
def test_some_changed_input_breaks_each_claim_with_a_bound(page):
    broken = load_falsified(ROOT)
    survive = [m.name for m in claims_made(page) if m.held and not broken.get(m.name)]
    assert not survive, (
        f"nothing recorded breaks {survive}: tighten their bounds, or add a change to "
        f"docs/_ext/changed_inputs, and run `nox -s falsify -- {page.docname}`"
    )


# The lint


def test_fixture_pages_have_no_faults(project):
    assert list(lint(project)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("it may change", "it is 92 % right", "'92 %' reads like a share"),
        ("it may change", "it takes 3.2 seconds", "'3.2 seconds' reads like a duration"),
        ("it may change", "it needs\n14 MiB", "'14 MiB' reads like a size in memory"),
        ("it may change", "it is ten times faster", "'ten times' reads like a ratio"),
        ("it may change", "an accuracy near 0.9", "'accuracy near 0.9' reads like a score"),
        ("{claim}`constant`", "high", "no prose shows claim 'constant'"),
        ("{claim}`constant`", "{claim}`constent`", "no page makes the claim 'constent'"),
        ('"halves"', '"constant"', "claim 'constant' is made at docs/first.md"),
        ('"halves"', "trainable_spikes.__name__", "expected the name of a claim as a literal"),
        ('print("first data"', 'print(constant, "first data"', ""),
    ],
)
def test_lint_names_the_fault_and_its_line(project, old, new, fault):
    path = project / "docs" / "first.md"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    faults = list(lint(project))
    assert any(fault in line and line.startswith("docs/") for line in faults) or not fault


def test_lint_names_copied_cells_that_need_a_hidden_one(project):
    path = project / "docs" / "first.md"
    cell = "```{code-cell} python\nprint(constant + 1)\n```\n"
    path.write_text(path.read_text() + "\n" + cell)
    (fault,) = lint(project)
    assert "readers copy uses 'constant', which only a hidden cell defines" in fault


@pytest.mark.parametrize(
    "prose",
    [
        "a membrane time constant of 20 ms and steps of 1 ms",
        "inputs of shape 200 by 256, at 5 Hz, with weights in mA",
        "`accuracy > 0.92` in code, $0.25 \\times 3$ in a formula, {setting}`3 times` as chosen",
        "three seeds, five networks, ten classes",
        "[a link](https://example.org/92%25)",
    ],
)
def test_settings_code_and_formulas_are_not_measured_quantities(prose):
    assert list(find_measured(prose_of(prose))) == []


def test_captions_are_prose_and_other_fences_are_not():
    head = "---\nmystnb:\n  figure:\n    caption: 92 % right\n---\n"
    page = f"```{{code-cell}} python\n{head}x = '8 %'\n```\n"
    assert [words for _, _, words in find_measured(prose_of(page))] == ["92 %"]


# The difference of two builds


def test_difference_tells_what_came_went_and_moved():
    def facts(name, **changed):
        kept = measure(name, [0.9, 0.8], f"About {name}", at_least=0.5, seeds=[0, 1])
        fields = {k: getattr(kept, k) for k in ("text", "statement", "value", "spread", "unit")}
        return fields | {"bound": kept.bound, "verdict": "holds", "seeds": [0, 1]} | changed

    old = {"gone": facts("gone"), "same": facts("same"), "shift": facts("shift")}
    new = {"came": facts("came"), "same": facts("same")}
    new["shift"] = facts("shift", value=0.7, text="0.7", bound="at least 0.6")
    lines = list(moved(old, new))
    assert len(lines) == 3
    assert lines[0].startswith("- gone")
    assert lines[1].startswith("+ came")
    assert "2.1 standard deviations" in lines[2]
    assert "bound was 'at least 0.5', is 'at least 0.6'" in lines[2]
