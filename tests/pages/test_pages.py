"""Pages are the integration tests: each runs clean, asserts what it says, keeps its budget."""

from pathlib import Path

import pytest

from claims.gather import Claims
from evidence.judged import failing_changes
from evidence.lifecycle import recorded_values
from lint_claims import calls_of_measure
from run.page import MEASURE, list_pages

ROOT = Path(__file__).parents[2]
PAGES = {page.docname: page for page in list_pages(ROOT)}


@pytest.fixture(scope="module")
def claims(page_results):
    """The claims of all pages, held."""
    found = Claims.of_pages(ROOT, page_results.values())
    for record in recorded_values(ROOT):
        found.take(*record)
    found.hold()
    return found


@pytest.mark.parametrize("docname", PAGES)
def test_page_runs_clean_within_its_budget(page_results, docname):
    problems = page_results[docname].problems
    assert not problems, "\n\n".join(["the page failed", *problems])


@pytest.mark.parametrize("docname", PAGES)
def test_everything_that_a_page_measures_is_said_and_holds(claims, docname):
    problems = [each for each in claims.problems if f"docs/{docname}." in each]
    assert not problems, "\n".join(problems)
    assert [each for each in claims.claims.values() if each.page == docname], "it claims nothing"


@pytest.mark.parametrize("docname", PAGES)
def test_some_changed_input_breaks_each_claim_with_a_bound(claims, docname):
    broken = failing_changes(claims, PAGES)
    held = [name for name, each in claims.claims.items() if each.bound and each.page == docname]
    survive = [name for name in held if name not in broken and name not in claims.recorded]
    assert not survive, (
        f"nothing recorded breaks {survive}: tighten their bounds, or add a change to "
        f"docs/evidence/changed_inputs, and run `nox -s falsify -- {docname}`"
    )


def test_claims_are_few_and_the_cells_that_measure_are_short(claims):
    assert len(claims.entries) <= 450
    cells = [cell for page in PAGES.values() for cell in page.cells if MEASURE in cell.tags]
    assert sum(len(cell.source.splitlines()) for cell in cells) <= 1300


def test_changed_inputs_end_at_something_that_their_page_measures():
    from evidence.judged import load_changes

    for change in load_changes(ROOT):
        for docname, last in change.until.items():
            names = {call.name for call in calls_of_measure(PAGES[docname])}
            assert not last or last.partition("[")[0] in names, (change.name, docname, last)


def test_declared_budgets_fit_a_hosted_build():
    budgets = {docname: page.budget for docname, page in PAGES.items()}
    assert sum(budgets.values()) <= 700, f"core-seconds of all pages, imports included: {budgets}"
    # A minute alone on two cores.
    assert max(budgets.values()) <= 120, f"core-seconds of one page: {budgets}"
