"""Faults on purpose: a check of the site has to find what is put there for it."""

import os
import shutil
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import BrowserContext, Page, Route

STYLES = "_static/site.css*"
Edit = Callable[[str], str]


def faults(rows: Iterable[tuple], check: Callable[..., Hashable] = lambda *_: None) -> list[object]:
    """Return the parameters of a test for faults, of which each begins with what is undone.

    The first fault of each check stays in the suite, to show that the check can fail. The others
    have the mark `planted`: `pytest --planted` runs them, and no other test. `check` says for
    which check a row is, where a list is for several.
    """
    met, found = set(), []
    for what, *row in rows:
        of = check(*row)
        found.append(pytest.param(*row, id=what, marks=[pytest.mark.planted] if of in met else []))
        met.add(of)
    return found


# -- What can be changed in a file -------------------------------------------


def swap(old: str, new: str) -> Edit:
    """Put one text in the place of another."""

    def edit(text: str) -> str:
        assert old in text, f"expected {old!r}, so that a fault can take its place"
        return text.replace(old, new)

    return edit


def add(text: str) -> Edit:
    """Put more at the end: a rule of a style sheet, a line of a script."""
    return lambda before: f"{before}\n{text}\n"


def change(selector: str, act: Callable[[Tag], object]) -> Edit:
    """Act on each element of a page that a selector finds."""

    def edit(text: str) -> str:
        soup = BeautifulSoup(text, "html.parser")
        found = soup.select(selector)
        assert found, f"expected {selector!r}, so that a fault can take its place"
        for element in found:
            act(element)
        return str(soup)

    return edit


def give(selector: str, name: str, value: str) -> Edit:
    """Give elements an attribute, or another value of it."""
    return change(selector, lambda element: element.attrs.update({name: value}))


def take(selector: str, *names: str) -> Edit:
    """Take attributes from elements, or without names the elements themselves."""
    if not names:
        return change(selector, Tag.decompose)
    return change(selector, lambda element: [element.attrs.pop(name, None) for name in names])


def rename(selector: str, tag: str) -> Edit:
    """Make elements of another kind."""
    return change(selector, lambda element: setattr(element, "name", tag))


def put_before(selector: str, html: str) -> Edit:
    """Put elements before others."""
    return change(selector, lambda element: element.insert_before(_parsed(html)))


def put_into(selector: str, html: str) -> Edit:
    """Put elements at the end of others."""
    return change(selector, lambda element: element.append(_parsed(html)))


def _parsed(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


# -- Where it is served from -------------------------------------------------


def plant(where: Page | BrowserContext, path: str, edit: Edit) -> None:
    """Serve a file of the site with a change.

    The site itself stays as it is: only what this page or context asks for is changed, on its way.
    """

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=edit(response.text()))

    where.route(f"**/{path}", answer)


def planted_copy(site: Path, folder: Path, path: str, edit: Edit) -> Path:
    """Return a copy of the site in `folder`, with a change of one file.

    The files are hard links to those of the site, but for the one that is changed.
    """
    shutil.copytree(site, folder, copy_function=os.link)
    text = edit((site / path).read_text(encoding="utf8"))
    (folder / path).unlink()
    (folder / path).write_text(text, encoding="utf8")
    return folder
