"""The pages that run code, and the code of them that a reader gets."""

from pathlib import Path

from run.page import is_pasted, list_pages

ROOT = Path(__file__).parents[2]
PAGES = {page.docname: page for page in list_pages(ROOT)}


def readable(docname: str) -> list[str]:
    """Return the code of a page that a reader sees and may paste, cell by cell."""
    return [cell.source for cell in PAGES[docname].cells if is_pasted(cell.tags)]
