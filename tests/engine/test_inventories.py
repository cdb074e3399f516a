"""Other projects' inventories: read from files in a build, written anew from their sites."""

import zlib

import pytest

from pages.inventories import FOLDER, SITES, entries, mapping, refresh
from serving import served

HEAD = b"# Sphinx inventory version 2\n# Project: Other\n# Version: 3\n# zlib\n"
NAMES = "other.run py:function 1 api.html#$ -\n"
REST = "index std:doc -1 index.html Start\na label std:label -1 index.html#a A label\n"


@pytest.fixture
def site(tmp_path):
    """Another project's site: a folder to put its inventory into, and its address."""
    folder = tmp_path / "site"
    folder.mkdir()
    with served(folder) as address:
        yield folder, address


def test_refresh_keeps_the_python_names_of_a_site_and_nothing_else(site, tmp_path):
    folder, address = site
    (folder / "objects.inv").write_bytes(HEAD + zlib.compress((REST + NAMES).encode()))
    assert refresh({"other": address}, tmp_path) == []
    head, lines = entries((tmp_path / "other.inv").read_bytes())
    assert head == HEAD
    assert lines == [NAMES.strip()]


@pytest.mark.parametrize(
    ("served", "said"),
    [
        (None, "404"),
        (b"<html>Moved</html>", "begins with"),
        (HEAD + b"no zlib", "damaged"),
        (HEAD + zlib.compress(REST.encode()), "no Python name"),
    ],
)
def test_a_site_without_an_inventory_is_named_and_leaves_its_file(site, tmp_path, served, said):
    folder, address = site
    if served is not None:
        (folder / "objects.inv").write_bytes(served)
    (tmp_path / "other.inv").write_bytes(b"as it was")
    (problem,) = refresh({"other": address}, tmp_path)
    assert problem.startswith(f"other: expected an inventory at {address}objects.inv")
    assert said in problem
    assert (tmp_path / "other.inv").read_bytes() == b"as it was"


def test_a_build_reads_files_that_are_here_and_asks_no_network():
    files = {path.stem for path in FOLDER.glob("*.inv")}
    assert {"python", "numpy", "matplotlib"} <= files <= set(SITES)
    assert set(mapping()) == files
    assert all(place == f"_inventories/{name}.inv" for name, (_, place) in mapping().items())


@pytest.mark.parametrize("name", mapping())
def test_files_are_small_and_say_where_they_come_from(name):
    inventory = (FOLDER / f"{name}.inv").read_bytes()
    _, lines = entries(inventory)
    assert len(inventory) < 100_000
    assert all(" py:" in line for line in lines)
    assert f"`{name}.inv`" in (FOLDER / "README.md").read_text()
