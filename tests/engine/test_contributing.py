"""What the contributors' guide says works: the template passes, a broken rule says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from run.store import ENVIRONMENT_VARIABLE, PageStore

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "docs" / "_template.md").read_text()
TABLE = (ROOT / "docs" / "_template.claims.toml").read_text()
FOLDERS, FILES = (
    ("docs", "src", "requirements", "tests/lint"),
    ("pyproject.toml", "README.md", "LICENSE"),
)
BREAKS = {
    "alternative text": (
        "  image:\n    alt: A bar for each of eight samples, of about the same height.\n",
        "",
        "expected alternative text of at least",
    ),
    "number": ("spikes.\n", "spikes, 40 % more than others.\n", "'40 %' reads like"),
    "front matter": ("budget: 15\n", "", "expected `budget` in the front matter"),
    "table": ("at_most = 1000", "at_most = 1", "claim 'template-spikes': expected at least 1"),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project with the template among the how-to guides."""
    root = tmp_path_factory.mktemp("checkout")
    for name in FOLDERS:
        ignore = shutil.ignore_patterns("__pycache__", "_build")
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    # A store of its own, so that the template is not kept there; the pages need not run again.
    shutil.copytree(PageStore.of(ROOT).folder, root / ".page-cache")
    index = root / "docs" / "index.md"
    index.write_text(index.read_text().replace("\nhowto/make-", "\nhowto/page\nhowto/make-"))
    return root


def run(checkout, text, *command, table=TABLE):
    (checkout / "docs" / "howto" / "page.md").write_text(text)
    (checkout / "docs" / "howto" / "page.claims.toml").write_text(table)
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(checkout / ".page-cache")}
    done = subprocess.run(
        [sys.executable, *command], cwd=checkout, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def build(checkout, text, table=TABLE):
    options = ("-n", "-W", "--keep-going", "-b", "html")
    return run(checkout, text, "-m", "sphinx", *options, "docs", "docs/_build/html", table=table)


def lint(checkout, text):
    return run(checkout, text, "tests/lint/lint_claims.py")


@pytest.mark.slow
def test_template_is_a_page_that_passes(checkout):
    status, output = build(checkout, TEMPLATE)
    assert status == 0, output
    executed = [line for line in output.splitlines() if line.endswith(" s  run")]
    assert len(executed) == 1
    assert "howto/page" in executed[0]
    status, output = lint(checkout, TEMPLATE)
    assert status == 0, output


@pytest.mark.slow
@pytest.mark.parametrize("rule", BREAKS)
def test_page_that_breaks_a_rule_fails_with_what_to_do(checkout, rule):
    old, new, message = BREAKS[rule]
    assert old in TEMPLATE + TABLE
    broken, table = (text.replace(old, new) for text in (TEMPLATE, TABLE))
    status, output = lint(checkout, broken) if rule == "number" else build(checkout, broken, table)
    assert status != 0
    assert message in output
    assert "howto/page.md" in output
