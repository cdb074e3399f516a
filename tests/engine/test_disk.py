"""Results on disk: made once, and again where anything that they are made from has changed."""

import os
import shutil
import time
from pathlib import Path

import pytest

from run import disk
from run import page as parsing
from run.disk import remembered
from run.page import list_pages, parse_page
from run.store import ENVIRONMENT_VARIABLE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make():
    """A function that gives what it is asked for, and counts how often."""

    def make():
        make.times += 1
        return {"made": make.times}

    make.times = 0
    return make


def test_the_same_is_made_once(tmp_path, make):
    assert remembered(tmp_path / "new", ["a", 1], make) == {"made": 1}
    assert remembered(tmp_path / "new", ["a", 1], make) == {"made": 1}


def test_what_is_made_from_something_else_is_made_again(tmp_path, make):
    remembered(tmp_path, ["a", 1], make)
    assert remembered(tmp_path, ["a", 2], make) == {"made": 2}


@pytest.mark.parametrize("content", [b"", b'{"made"', b"\xff"])
def test_a_damaged_file_is_made_again(tmp_path, make, content):
    remembered(tmp_path, "a", make)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert remembered(tmp_path, "a", make) == {"made": 2}
    assert remembered(tmp_path, "a", make) == {"made": 2}


def test_what_can_only_be_read_is_not_made_again(tmp_path, make, monkeypatch):
    def refuse(path):
        raise PermissionError(path)

    remembered(tmp_path, "a", make)
    monkeypatch.setattr(os, "utime", refuse)
    assert remembered(tmp_path, "a", make) == {"made": 1}


def test_the_first_result_is_as_later_ones_will_be(tmp_path):
    assert [remembered(tmp_path, "a", lambda: (1, 2)) for _ in range(2)] == [[1, 2], [1, 2]]


def test_another_version_of_the_parser_parses_again(tmp_path, monkeypatch):
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    text = (ROOT / "docs" / "_template.md").read_text(encoding="utf8")
    parse_page("howto/page", text, tmp_path)
    monkeypatch.setattr(parsing, "version", lambda name: "0")
    parse_page("howto/page", text, tmp_path)
    assert len(list((tmp_path / ".page-cache" / "parsed").iterdir())) == 2


def test_a_page_with_a_date_is_read_though_it_cannot_be_kept(tmp_path):
    text = (ROOT / "docs" / "_template.md").read_text(encoding="utf8")
    dated = text.replace("---\n", "---\ndate: 2026-01-01\n", 1)
    assert parse_page("howto/page", dated, tmp_path).cells == parse_page("howto/page", dated).cells


def test_what_was_used_last_is_kept(tmp_path, make, monkeypatch):
    monkeypatch.setattr(disk, "MOST", 2)
    for made_from in ("a", "b", "a", "c"):
        remembered(tmp_path, made_from, make)
        time.sleep(0.02)  # the clock of a file system is a coarse one
    assert len(list(tmp_path.iterdir())) == 2
    assert remembered(tmp_path, "a", make) == {"made": 1}
    assert remembered(tmp_path, "b", make) == {"made": 4}


def test_where_nothing_can_be_written_everything_is_made(tmp_path, make):
    (tmp_path / "file").touch()
    assert remembered(tmp_path / "file" / "folder", "a", make) == {"made": 1}


def without_ids(page):
    """The page without the names that every parsing draws for its cells."""
    for cell in page.notebook.cells:
        cell.pop("id", None)
    return page


def test_a_kept_page_is_the_page(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("_*"))
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)  # a store of its own
    read = list_pages(tmp_path)
    assert len(list((tmp_path / ".page-cache" / "parsed").iterdir())) >= len(read) > 10
    again = list_pages(tmp_path)
    assert read == again
    for page in again:
        text = (tmp_path / page.path).read_text(encoding="utf8")
        assert without_ids(page) == without_ids(parse_page(page.docname, text))
