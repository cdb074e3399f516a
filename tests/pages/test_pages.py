"""Pages are the integration tests: each runs clean, asserts what it says, keeps its budget."""

from pathlib import Path

import pytest

from claims.lint import claims_made
from run.page import list_pages

ROOT = Path(__file__).parents[2]
PAGES = {page.docname: page for page in list_pages(ROOT)}
CLAIMS = [(page.docname, made.name) for page in PAGES.values() for made in claims_made(page)]


@pytest.mark.parametrize("docname", PAGES)
def test_page_runs_clean_within_its_budget(page_results, docname):
    problems = page_results[docname].problems
    assert not problems, "\n\n".join(["the page failed", *problems])


def test_declared_budgets_fit_a_hosted_build():
    budgets = {docname: page.budget for docname, page in PAGES.items()}
    assert sum(budgets.values()) <= 700, f"core-seconds of all pages, imports included: {budgets}"
    # A minute alone on two cores.
    assert max(budgets.values()) <= 120, f"core-seconds of one page: {budgets}"


@pytest.mark.parametrize(("docname", "name"), CLAIMS)
def test_claim_holds(page_results, docname, name):
    run = page_results[docname].run
    assert run, f"{docname} did not run to its end"
    (claim,) = (claim for claim in run.claims if claim.name == name)
    assert claim.holds, claim.summary
