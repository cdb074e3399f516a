"""Faults on purpose: a check of the site has to find what is put there for it."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Route

STYLES = "_static/site.css*"


def plant(where: Page | BrowserContext, path: str, old: str, new: str) -> None:
    """Serve a file of the site with one text in the place of another.

    The site itself stays as it is: only what this page or context asks for is changed, on its way.
    """

    def answer(route: Route) -> None:
        response = route.fetch()
        text = response.text()
        assert old in text, f"expected {old!r} in {path}, so that a fault can take its place"
        route.fulfill(response=response, body=text.replace(old, new))

    where.route(f"**/{path}", answer)


def planted_copy(site: Path, folder: Path, path: str, old: str, new: str) -> Path:
    """Return a copy of the site in `folder`, with one text of one file replaced.

    The files are hard links to those of the site, but for the one that is changed.
    """
    shutil.copytree(site, folder, copy_function=os.link)
    text = (site / path).read_text(encoding="utf8")
    assert old in text, f"expected {old!r} in {path}, so that a fault can take its place"
    (folder / path).unlink()
    (folder / path).write_text(text.replace(old, new), encoding="utf8")
    return folder
