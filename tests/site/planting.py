"""Faults on purpose: a check of the site has to find what is put there for it."""

from playwright.sync_api import BrowserContext, Page, Route


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
