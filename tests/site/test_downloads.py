"""What a page offers to take along: the code that ran, prose without directives, outputs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from downloads import FOLDER, KINDS
from page_source import is_pasted, list_pages
from page_store import PageStore
from snippets import cells_of

ROOT = Path(__file__).parents[2]
PAGES = {page.docname: page for page in list_pages(ROOT)}
DIRECTIVES = re.compile(r"```\{|:::|\{[a-z:]+\}`|^\(\S+\)=$", re.MULTILINE)
INSTALLS = "%pip install"


def download(site, docname, ending):
    return (site / FOLDER / f"{docname}{ending}").read_text(encoding="utf8")


def notebook(site, docname, ending="-executed.ipynb"):
    found = nbformat.reads(download(site, docname, ending), as_version=4)
    nbformat.validate(found)
    return found


def readable(docname):
    return [cell.source for cell in PAGES[docname].cells if is_pasted(cell.tags)]


def code(found):
    cells = [cell for cell in found.cells if cell.cell_type == "code"]
    assert INSTALLS in cells[0].source
    return cells[1:]


@pytest.mark.parametrize("docname", PAGES)
def test_downloads_hold_the_code_that_a_reader_sees_and_no_other(built_site, docname):
    sources = readable(docname)
    assert cells_of(download(built_site, docname, ".py")) == sources
    for ending in (".ipynb", "-executed.ipynb"):
        assert [cell.source for cell in code(notebook(built_site, docname, ending))] == sources


@pytest.mark.parametrize("docname", PAGES)
def test_prose_of_downloads_has_no_directive_or_role_left(built_site, docname):
    for ending in KINDS:
        text = download(built_site, docname, ending)
        if ending != ".py":
            text = "\n".join(c.source for c in nbformat.reads(text, 4).cells)
        assert not DIRECTIVES.findall(text)
        assert "What the build checks here" not in text
    twin = (built_site / f"{docname}.md").read_text(encoding="utf8")
    assert not DIRECTIVES.findall(twin)


@pytest.mark.parametrize("docname", PAGES)
def test_one_notebook_has_the_outputs_of_the_run_and_one_has_none(built_site, docname):
    empty = code(notebook(built_site, docname, ".ipynb"))
    assert not any(cell.outputs or cell.execution_count for cell in empty)
    run = PageStore.of(ROOT).last(docname)
    ran = [cell for cell in run.notebook.cells if is_pasted(cell.metadata.tags)]
    for cell, original in zip(code(notebook(built_site, docname)), ran, strict=True):
        assert [told(output) for output in cell.outputs] == [told(o) for o in original.outputs]


def told(output):
    """What a reader gets of an output, in the form that notebooks show."""
    data = output.get("data", {})
    return output.get("text") or data.get("image/png") or data.get("text/plain") or output.evalue


@pytest.mark.parametrize("docname", PAGES)
def test_every_figure_of_a_page_is_once_in_its_twin_and_in_its_full_notebook(built_site, docname):
    soup = BeautifulSoup((built_site / f"{docname}.html").read_text(), "html.parser")
    shown = [image["alt"] for image in soup.select(".bd-article img:not(.for-dark)")]
    twin = (built_site / f"{docname}.md").read_text(encoding="utf8")
    assert sorted(re.findall(r"^!\[(.+)\]\(", twin, re.MULTILINE)) == sorted(shown)
    for path in re.findall(r"^!\[.+\]\((.+)\)", twin, re.MULTILINE):
        assert (built_site / docname).parent.joinpath(path).resolve().is_file()
    cells = notebook(built_site, docname).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    hidden = sum("attachments" in cell for cell in cells)
    static = sum(cell.source.count(f"({words})") for cell in cells for words in set(shown))
    moved = sum("remove-output" in cell.tags for cell in PAGES[docname].cells)
    assert pictures + hidden + static == len(shown) + moved
    assert not any("attachment" in c.source for c in notebook(built_site, docname, ".ipynb").cells)


def test_install_cell_names_the_wheel_beside_it_and_what_built_the_site(built_site):
    (wheel,) = built_site.glob(f"{FOLDER}/*.whl")
    installs = notebook(built_site, "tutorials/a-first-neuron").cells[1].source
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
    listed = (built_site / "llms.txt").read_text(encoding="utf8")
    names = re.findall(r"\]\((\S+\.md)\)", listed)
    twins = {path.relative_to(built_site).as_posix() for path in built_site.rglob("*.md")}
    assert set(names) == {name for name in twins if not name.startswith(("_sources", "_static"))}
    assert all((built_site / name).stat().st_size > 100 for name in names)
