"""What is measured outside a build: recorded evidence, margins, changed inputs."""

import shutil
from pathlib import Path

import pytest

from claims.gather import Claims
from claims.table import read_tables
from evidence.judged import failing_changes, least_rooms, load_changes, means, missed
from evidence.recorded import load_evidence, record
from evidence.records import CHANGED_INPUTS, MARGINS, age, load, save
from fixture_project import FIXTURE
from run.page import list_pages
from run.rerun import after, rerun
from run.shell.measuring import measured

ROOT = Path(__file__).parents[2]
LONG = '\n[long]\nsays = "Long training pays"\nshow = ".1%"\nat_least = 0.5\n'


@pytest.fixture
def project(tmp_path):
    """The fixture site's sources, not built, with an entry for a record."""
    root = tmp_path / "project"
    shutil.copytree(FIXTURE, root)
    shutil.copytree(ROOT / "requirements", root / "requirements")
    (root / "docs" / "evidence").mkdir()
    with (root / "docs" / "first.claims.toml").open("a") as table:
        table.write(LONG)
    return root


@pytest.fixture
def script(project):
    """A script that uses the package."""
    path = project / "docs" / "evidence" / "long.py"
    path.write_text("import trainable_spikes as ts\n\nts.CONSTANT\n")
    return path


def claims_of(root, **values):
    claims = Claims(root, *read_tables(root))
    for name, value in values.items():
        seeds = range(len(value)) if isinstance(value, list) else ()
        claims.take("first", "docs/first.md:1", measured(name, value, seeds=seeds))
    claims.hold()
    return claims


def test_recorded_evidence_is_called_old_once_its_code_changes(project, script):
    record(str(script), "first", measured("long", 0.87))
    ((file, found),) = load_evidence(project)
    assert (file, found.page) == ("docs/evidence/long.json", "first")
    assert found.measured == measured("long", 0.87)
    assert not found.stale(project)
    (project / "src" / "trainable_spikes" / "__init__.py").write_text("CONSTANT = 42\n")
    assert found.stale(project)


def test_evidence_is_not_called_old_for_a_module_that_it_does_not_use(project, script):
    package = project / "src" / "trainable_spikes"
    (package / "other.py").write_text("CONSTANT = 1\n")
    (package / "used.py").write_text("from trainable_spikes.deeper import CONSTANT\n")
    (package / "deeper.py").write_text("CONSTANT = 1\n")
    script.write_text("from trainable_spikes import used\n")
    record(str(script), "first", measured("long", 0.87))
    ((_, found),) = load_evidence(project)
    (package / "other.py").write_text("CONSTANT = 2\n")
    assert not found.stale(project)
    (package / "deeper.py").write_text("CONSTANT = 2\n")
    assert found.stale(project)


def test_evidence_belongs_to_the_scripts_beside_it_too_and_names_its_device(project, script):
    shared = script.with_name("shared.py")
    shared.write_text("CONSTANT = 1\n")
    script.write_text("from shared import CONSTANT\n")
    record(str(script), "first", measured("long", 0.87), device="a GPU")
    ((_, found),) = load_evidence(project)
    assert found.provenance.device == "a GPU"
    assert not found.stale(project)
    shared.write_text("CONSTANT = 2\n")
    assert found.stale(project)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("long", 0.4, "outside its bound: long = 40.0 %"), ("gone", 0.9, "has no entry 'gone'")],
)
def test_evidence_that_its_table_does_not_hold_is_not_written(
    project, script, name, value, message
):
    with pytest.raises(SystemExit, match=f"(?s)nothing is recorded.*{message}"):
        record(str(script), "first", measured(name, value))
    assert not load_evidence(project)


def test_a_recorded_value_is_held_and_marked_on_the_site(site):
    (site.root / "docs" / "evidence").mkdir()
    script = site.root / "docs" / "evidence" / "long.py"
    script.write_text("import trainable_spikes\n")
    with (site.root / "docs" / "first.claims.toml").open("a") as table:
        table.write(LONG)
    record(str(script), "first", measured("long", 0.87))
    site.edit("docs/first.md", "is numbered.", "is numbered. It is {claim}`long`.")
    assert site.build_well() == []
    assert "87.0 % (recorded)" in site.html("first")
    site.edit("docs/first.claims.toml", "at_least = 0.5", "at_least = 0.9")
    status, output = site.build()
    assert status != 0
    assert "claim 'long': expected at least 90.0 %, got 0.87" in output


def test_a_moved_bound_is_judged_against_recorded_values_without_a_run(project):
    (first, _) = list_pages(project)
    pages = {"first": first}
    save(project, MARGINS, "3.11", first, {"0": {"halves": 0.6}, "1": {"halves": 0.7}})
    save(project, MARGINS, "3.13", first, {"0": {"halves": 0.65}, "1": {"halves": 0.8}})
    room = least_rooms(claims_of(project, halves=[0.5, 0.7]), pages)["halves"]
    assert (room.draws, room.stacks) == (2, ["3.11", "3.13"])
    assert room.least == pytest.approx(0.1)
    table = project / "docs" / "first.claims.toml"
    table.write_text(table.read_text().replace("at_most = 0.9", "at_most = 0.75"))
    moved = least_rooms(claims_of(project, halves=[0.5, 0.7]), pages)["halves"]
    assert moved.least == pytest.approx(-0.05)
    assert moved.text == "−0.05 over 2 draws on 3.11 and 3.13"


def test_a_record_says_what_it_is_older_than(project):
    (first, _) = list_pages(project)
    save(project, MARGINS, "3.11", first, {"0": {"halves": 0.6}})
    record = load(project, MARGINS)["3.11"]["first"]
    assert age(project, first, "3.11", record) == ""
    package = project / "src" / "trainable_spikes" / "__init__.py"
    package.write_text(package.read_text().replace("41", "43"))
    assert age(project, first, "3.11", record) == "with older code"
    package.write_text(package.read_text().replace("43", "41"))
    requirements = project / "requirements" / "pages.txt"
    was = record.versions["jax"]
    requirements.write_text(requirements.read_text().replace(f"jax=={was}", "jax==99.0"))
    assert age(project, first, "3.11", record) == f"with jax {was}"


def test_a_record_is_older_when_a_cell_changes_and_not_when_its_prose_does(project):
    path = project / "docs" / "first.md"
    (first, _) = list_pages(project)
    save(project, MARGINS, "3.11", first, {"0": {"halves": 0.6}})
    record = load(project, MARGINS)["3.11"]["first"]
    path.write_text(path.read_text().replace("it may change", "it has changed"))
    assert age(project, list_pages(project)[0], "3.11", record) == ""
    path.write_text(path.read_text().replace("[0.5, 0.7]", "[0.5, 0.8]"))
    assert age(project, list_pages(project)[0], "3.11", record) == "with older code"


def test_what_is_saved_is_read_again_even_what_is_not_finite(project):
    (first, second) = list_pages(project)
    save(project, MARGINS, "3.11", first, {"0": {"halves": 0.6, "family[one]": float("inf")}})
    save(project, MARGINS, "3.11", second, {"0": {}})
    found = load(project, MARGINS)["3.11"]
    assert found["first"].runs == {"0": {"halves": 0.6, "family[one]": float("inf")}}
    assert set(found) == {"first", "second"}


def test_claim_that_a_changed_input_breaks_is_found(site):
    (first, _) = list_pages(site.root)
    smaller = after("import trainable_spikes; trainable_spikes.CONSTANT = 39", first)
    (run,) = rerun(site.root, [smaller])
    values = means(run.measured)
    assert values == {"constant": 39, "halves": 0.6, "family[one]": 1, "family[two]": 2}
    whole = {"constant": 41, "halves": [0.5, 0.7], "family": {"one": 1, "two": 2}}
    assert missed(claims_of(site.root, **whole), values) == ["constant"]
    assert missed(claims_of(site.root, **whole), {"constant": float("inf")}) == ["constant"]


def test_values_behind_a_failing_cell_count_under_a_changed_input(site):
    site.edit("docs/first.md", 'print("first constant"', 'raise ValueError("planted"); (0')
    (first, _) = list_pages(site.root)
    undefined = after("import trainable_spikes; trainable_spikes.CONSTANT = float('nan')", first)
    up_to_failure, whole = (
        rerun(site.root, [undefined], past_errors=past_errors)[0] for past_errors in (False, True)
    )
    assert up_to_failure.measured == []
    assert missed(claims_of(site.root, constant=41), means(whole.measured)) == ["constant"]
    assert whole.errors == ["ValueError: planted"]


def test_the_list_says_under_which_changes_a_claim_fails(project):
    shutil.copytree(ROOT / "docs/evidence/changed_inputs", project / "docs/evidence/changed_inputs")
    change = load_changes(project)[0]
    (first, _) = list_pages(project)
    runs = {change.name: {"constant": 39.0, "halves": 0.6}, "gone.change": {"constant": 0.0}}
    save(project, CHANGED_INPUTS, "3.11", first, runs)
    found = failing_changes(claims_of(project, constant=41, halves=[0.5, 0.7]), {"first": first})
    assert found == {"constant": [change.clause]}


def test_changed_inputs_have_names_of_their_own():
    names = [change.name for change in load_changes(ROOT)]
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))
    assert all(name.count(".") == 1 for name in names), "a module and a function"
