"""What a page offers to take along: the code that ran, prose without directives, outputs."""

import json
import re
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup

from figures.movable import is_movable
from paste_pages import cells_of
from planting import faults, planted_copy, swap
from publish.downloads import FOLDER, KINDS
from run.page import is_pasted
from run.store import PageStore
from site_pages import PAGES, ROOT, readable

DIRECTIVES = re.compile(r"```\{|:::|\{[a-z:]+\}`|^\(\S+\)=$", re.MULTILINE)
INSTALLS = "%pip install"
CHECKED = "What the build measured here"
UNRUN = '"execution_count": null'
NEURON = "tutorials/a-first-neuron"


def download(site, docname, ending):
    return (site / FOLDER / f"{docname}{ending}").read_text(encoding="utf8")


def notebook(site, docname, ending="-executed.ipynb"):
    found = nbformat.reads(download(site, docname, ending), as_version=4)
    nbformat.validate(found)
    return found


def code(found):
    cells = [cell for cell in found.cells if cell.cell_type == "code"]
    assert INSTALLS in cells[0].source
    return cells[1:]


@pytest.mark.parametrize("docname", PAGES)
def test_downloads_hold_the_code_that_a_reader_sees_and_no_other(built_site, docname):
    check_code(built_site, docname)


def check_code(site, docname):
    sources = readable(docname)
    assert cells_of(download(site, docname, ".py")) == sources
    for ending in (".ipynb", "-executed.ipynb"):
        assert [cell.source for cell in code(notebook(site, docname, ending))] == sources


@pytest.mark.parametrize("docname", PAGES)
def test_prose_of_downloads_has_no_directive_or_role_left(built_site, docname):
    check_prose(built_site, docname)


def check_prose(site, docname):
    for ending in KINDS:
        text = download(site, docname, ending)
        if ending != ".py":
            text = "\n".join(c.source for c in nbformat.reads(text, 4).cells)
        assert not DIRECTIVES.findall(text)
        assert CHECKED not in text
    twin = (site / f"{docname}.md").read_text(encoding="utf8")
    assert not DIRECTIVES.findall(twin)
    assert "<div" not in twin


@pytest.mark.parametrize("docname", PAGES)
def test_one_notebook_has_the_outputs_of_the_run_and_one_has_none(built_site, docname):
    check_outputs(built_site, docname)


def check_outputs(site, docname):
    empty = code(notebook(site, docname, ".ipynb"))
    assert not any(cell.outputs or cell.execution_count for cell in empty)
    run = PageStore.of(ROOT).last(docname)
    ran = [cell for cell in run.notebook.cells if is_pasted(cell.metadata.tags)]
    for cell, original in zip(code(notebook(site, docname)), ran, strict=True):
        assert [told(output) for output in cell.outputs] == [told(o) for o in original.outputs]


def told(output):
    """What a reader gets of an output, in the form that notebooks show."""
    data = output.get("data", {})
    return output.get("text") or data.get("image/png") or data.get("text/plain") or output.evalue


@pytest.mark.parametrize("docname", PAGES)
def test_every_figure_of_a_page_is_once_in_its_twin_and_in_its_full_notebook(built_site, docname):
    check_figures(built_site, docname)


def check_figures(site, docname):
    soup = BeautifulSoup((site / f"{docname}.html").read_text(), "html.parser")
    shown = [image["alt"] for image in soup.select(".bd-article img:not(.for-dark)")]
    twin = (site / f"{docname}.md").read_text(encoding="utf8")
    assert sorted(re.findall(r"^!\[(.+)\]\(", twin, re.MULTILINE)) == sorted(shown)
    for path in re.findall(r"^!\[.+\]\((.+)\)", twin, re.MULTILINE):
        assert (site / docname).parent.joinpath(path).resolve().is_file()
    cells = notebook(site, docname).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    hidden = sum("attachments" in cell for cell in cells)
    static = sum(cell.source.count(f"({words})") for cell in cells for words in set(shown))
    moved = sum("remove-output" in cell.tags for cell in PAGES[docname].cells)
    assert pictures + hidden + static == len(shown) + moved
    # What a reader can move on the site, no cell of a reader's draws.
    run = PageStore.of(ROOT).last(docname)
    movable = sum(is_movable(cell) for cell in run.notebook.cells)
    assert sum("attachments" in c for c in notebook(site, docname, ".ipynb").cells) == movable
    assert "attachment:" not in download(site, docname, ".py")


def test_install_cell_names_the_wheel_beside_it_and_what_built_the_site(built_site):
    check_install_cell(built_site, NEURON)


def check_install_cell(site, docname):
    (wheel,) = site.glob(f"{FOLDER}/*.whl")
    installs = notebook(site, docname).cells[1].source
    assert wheel.name in installs
    command = [sys.executable, "-m", "pip", "list", "--format=json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    versions = {package["name"].lower(): package["version"] for package in listed}
    pins = dict(word.split("==") for word in installs.split() if "==" in word)
    assert {"jax", "jaxlib", "brainpy", "brainstate", "braintools", "brainunit"} <= set(pins)
    assert pins == {name: versions[name.lower()] for name in pins}


def test_a_build_that_executes_nothing_offers_the_same(site):
    kept = site.root / "docs/_build/html" / FOLDER
    before = {path: path.read_bytes() for path in kept.rglob("*.ipynb")}
    assert before
    site.edit("docs/first.md", "# First", "# The first")
    assert site.build_well() == []
    after = {path: path.read_bytes() for path in kept.rglob("*.ipynb")}
    assert set(after) == set(before)
    for path in after:
        outputs = [c.get("outputs") for c in nbformat.reads(after[path].decode(), 4).cells]
        assert outputs == [c.get("outputs") for c in nbformat.reads(before[path].decode(), 4).cells]
    executed = [json.loads(text) for path, text in after.items() if "executed" in path.name]
    assert any(cell.get("outputs") for found in executed for cell in found["cells"])


def test_list_for_language_models_names_every_twin(built_site):
    check_list(built_site, NEURON)


def check_list(site, _):
    listed = (site / "llms.txt").read_text(encoding="utf8")
    names = re.findall(r"\]\((\S+\.md)\)", listed)
    twins = {path.relative_to(site).as_posix() for path in site.rglob("*.md")}
    assert set(names) == {name for name in twins if not name.startswith(("_sources", "_static"))}
    assert all((site / name).stat().st_size > 100 for name in names)


SCRIPT, EMPTY, FULL, TWIN = (
    *(f"{FOLDER}/{NEURON}{ending}" for ending in (".py", ".ipynb", "-executed.ipynb")),
    f"{NEURON}.md",
)
# What is undone, the check, the file, a text in it, what takes its place, what the check says.
FAULTS = [
    ("the script lacks a line", check_code, SCRIPT, "import textwrap\n", "", "textwrap"),
    ("the notebook lacks a line", check_code, EMPTY, "import textwrap\\n", "", "textwrap"),
    (
        "what the build checks is in the script",
        check_code,
        SCRIPT,
        "# %%\nimport textwrap",
        "# %%\nfrom measuring import measure\n\n# %%\nimport textwrap",
        "from measuring import measure",
    ),
    ("no cell installs anything", check_code, FULL, INSTALLS, "pip install", "pip install"),
    ("a directive is left in the twin", check_prose, TWIN, "# A first", "```{note}\n#", "`{"),
    ("a role is left in the script", check_prose, SCRIPT, "`dt`", "{term}`dt`", "term"),
    ("the build's own cells are named", check_prose, EMPTY, "build one", CHECKED, CHECKED),
    (
        "the full notebook lacks a line of output",
        check_outputs,
        FULL,
        "kind of state",
        "",
        "kind of",
    ),
    ("the empty notebook counts runs", check_outputs, EMPTY, UNRUN, UNRUN[:-4] + "1", "assert not"),
    ("the twin lacks a figure", check_figures, TWIN, "![Membrane", "[Membrane", "Membrane"),
    (
        "the twin's figures are not there",
        check_figures,
        TWIN,
        "](../_images/",
        "](../_gone/",
        "_gone",
    ),
    ("the notebook has no figures", check_figures, FULL, '"image/png"', '"image/gif"', "5 = len"),
    ("the wheel is another", check_install_cell, FULL, "py3-none-any", "py2-none-any", "py2-none"),
    ("a version is another", check_install_cell, FULL, "jax==", "jax==0.", "jax"),
    ("a package has no version", check_install_cell, FULL, "jaxlib==", "jaxlib>=", "jaxlib"),
    ("the list lacks a twin", check_list, "llms.txt", f"{NEURON}.md", f"{NEURON}.html", "a-first"),
]


@pytest.mark.parametrize(
    ("check", "path", "old", "new", "says"), faults(FAULTS, check=lambda check, *_: check)
)
def test_fault_that_is_planted_in_downloads_is_found(
    built_site, tmp_path, check, path, old, new, says
):
    site = planted_copy(built_site, tmp_path / "site", path, swap(old, new))
    with pytest.raises(AssertionError, match=says):
        check(site, NEURON)
