"""Pages are the integration tests: each runs clean, asserts what it says, keeps its budget."""

from pathlib import Path

import pytest

from page_source import list_pages

ROOT = Path(__file__).parents[2]
PAGES = {page.docname: page for page in list_pages(ROOT)}


@pytest.mark.parametrize("docname", PAGES)
def test_page_runs_clean_within_its_budget(page_results, docname):
    problems = page_results[docname].problems
    assert not problems, "\n\n".join(["the page failed", *problems])


def test_declared_budgets_fit_a_hosted_build():
    budgets = {docname: page.budget for docname, page in PAGES.items()}
    assert sum(budgets.values()) <= 700, f"core-seconds of all pages, imports included: {budgets}"


def test_no_page_takes_longer_than_a_minute_alone(page_results):
    cpu_seconds = {name: r.run.cpu_seconds for name, r in page_results.items() if r.run}
    slow = {name: seconds for name, seconds in cpu_seconds.items() if seconds > 120}
    assert not slow, f"over 60 s on 2 cores, in core-seconds: {slow}"
