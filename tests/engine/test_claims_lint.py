"""The lint of what pages measure and say, and the difference of two builds."""

import shutil

import pytest

from claims.diff import moved
from fixture_project import FIXTURE
from lint_claims import lint, prose_of
from measured_quantities import find_measured


@pytest.fixture
def project(tmp_path):
    """The fixture site's sources, not built."""
    shutil.copytree(FIXTURE, tmp_path / "project")
    return tmp_path / "project"


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
        ("{claim}`constant`", "high", "no prose shows 'constant'"),
        (
            "{claim}`constant`",
            "{claim}`constent`",
            "shows 'constent', and no table has it",
        ),
        ('"halves"', '"constant"', "'constant' is measured at docs/first.md"),
        (
            '"halves"',
            "trainable_spikes.__name__",
            "expected the name of what is measured",
        ),
        ('measure("halves"', 'measure("halfs"', "measures 'halfs', and no table has an entry"),
    ],
)
def test_lint_names_the_fault_and_its_line(project, old, new, fault):
    path = project / "docs" / "first.md"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    faults = list(lint(project))
    assert any(fault in line and line.startswith("docs/") for line in faults)


def test_lint_names_copied_cells_that_need_a_hidden_one(project):
    path = project / "docs" / "first.md"
    cell = "```{code-cell} python\nprint(measure)\n```\n"
    path.write_text(path.read_text() + "\n" + cell)
    (fault,) = lint(project)
    assert "readers copy uses 'measure', which only a hidden cell defines" in fault


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


def test_difference_tells_what_came_went_and_moved():
    def facts(name, **changed):
        found = {"text": "0.85 ± 0.0707", "statement": f"About {name}", "value": 0.85}
        found |= {"spread": 0.0707, "unit": "", "bound": "at least 0.5", "verdict": "holds"}
        return found | {"seeds": [0, 1]} | changed

    old = {"gone": facts("gone"), "same": facts("same"), "shift": facts("shift")}
    new = {"came": facts("came"), "same": facts("same")}
    new["shift"] = facts("shift", value=0.7, text="0.7", bound="at least 0.6")
    lines = list(moved(old, new))
    assert len(lines) == 3
    assert lines[0].startswith("- gone")
    assert lines[1].startswith("+ came")
    assert "2.1 standard deviations" in lines[2]
    assert "bound was 'at least 0.5', is 'at least 0.6'" in lines[2]
