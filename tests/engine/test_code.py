"""Which modules of the package a page uses, so that an edit of another executes nothing."""

from pathlib import Path

import pytest

from run.code import digest_of_code, used_files

ROOT = Path(__file__).parents[2]
INIT = """from package.training import Trainer
from package.data import Dataset
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from package.plotting import plot

def __getattr__(name):
    ...
"""


@pytest.fixture
def used(tmp_path):
    """Return a function that names the modules which a piece of code uses."""
    package = tmp_path / "src" / "package"
    package.mkdir(parents=True)
    files = {
        "__init__": INIT,
        "training": "from package.checks import check\nfrom .rollout import loop\n",
        "data": "import numpy\n",
        "checks": "",
        "rollout": "import package.units\n",
        "units": "",
        "plotting": "",
        "other": "",
    }
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)

    def used(code):
        return {path.stem for path in used_files([tmp_path / "src"], [code])} - {"__init__"}

    return used


TRAINING = {"training", "checks", "rollout", "units"}
ALL = TRAINING | {"data", "plotting", "other"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import package as p\np.Trainer()", TRAINING),
        ("import package\npackage.Trainer", TRAINING),
        ("from package import Dataset", {"data"}),
        ("from package.data import Dataset", {"data"}),
        ("import package.data", {"data"}),
        ("import package.data as d\nd.Dataset", {"data"}),
        ("import package as p\np.plot", {"plotting"}),
        ("import package as p\np.other.thing", {"other"}),
        ("import numpy as p\np.Trainer", set()),
        ("import package as p\ngetattr(p, name)", ALL),
        ("from package import *", ALL),
        ("import_module('package.data')", ALL),
        ("%matplotlib inline\nimport package", ALL),
    ],
)
def test_modules_are_found_from_the_names_in_the_code(used, code, expected):
    assert used(code) == expected


def test_comments_and_docstrings_do_not_change_the_digest_of_code(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""About."""\n\nx = 1  \n')
    before = digest_of_code(path)
    path.write_text('"""About\nmore."""\n# A comment.\nx = 1\n')
    assert digest_of_code(path) == before
    path.write_text("x = 2\n")
    assert digest_of_code(path) != before
    assert digest_of_code(tmp_path / "gone.py") == "absent"


def test_pages_of_this_site_do_not_all_depend_on_the_whole_package():
    from run.page import list_pages

    package = ROOT / "src" / "trainable_spikes"
    everything = set(package.glob("*.py")) - {package / "__init__.py"}
    for page in list_pages(ROOT):
        code = "\n".join(cell.source for cell in page.cells)
        assert set(used_files([ROOT / "src"], [code])) < everything, page.docname
