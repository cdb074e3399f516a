"""The one execution of every page, shared with the docs build through the page store."""

from __future__ import annotations

from pathlib import Path

import pytest

from run.schedule import PageResult, run_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def page_results(pytestconfig: pytest.Config) -> dict[str, PageResult]:
    """Results by page name; what the docs build has already run is not run again."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # minutes of silence look like a hang
        print()
        return {result.page.docname: result for result in run_pages(ROOT)}
