"""What copy buttons put into the clipboard is the code that the build ran, byte for byte."""

from pathlib import Path

import pytest

from page_source import is_pasted, list_pages

pytestmark = pytest.mark.browser
PAGES = {
    page.docname: page
    for page in list_pages(Path(__file__).parents[2])
    if any(is_pasted(cell.tags) for cell in page.cells)
}
CELLS = "div.cell_input"


@pytest.fixture(scope="module")
def visit(browser, address):
    """Open a page whose scripts may write to the clipboard, and that tests may read it from."""
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address.rstrip("/"))

    def visit(docname):
        page = context.new_page()
        page.goto(f"{address}{docname}.html", wait_until="networkidle")
        page.wait_for_selector("button.copybtn")
        return page

    yield visit
    context.close()


def copied(page, button):
    page.evaluate("navigator.clipboard.writeText('nothing was copied')")
    button.click()  # as a reader does: it scrolls there, and the button must not be covered
    return page.evaluate("navigator.clipboard.readText()")


def readable(docname):
    return [cell.source for cell in PAGES[docname].cells if is_pasted(cell.tags)]


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")


@pytest.mark.parametrize("docname", PAGES)
def test_copy_button_of_every_cell_gives_the_code_that_ran(visit, docname):
    page = visit(docname)
    unfold(page)
    buttons = page.locator(f"{CELLS} button.copybtn").all()
    assert [copied(page, button) for button in buttons] == readable(docname)
    page.close()


@pytest.mark.parametrize("docname", PAGES)
def test_script_button_of_every_cell_gives_the_page_up_to_there(visit, docname):
    page = visit(docname)
    unfold(page)
    sources = readable(docname)
    scripts = ["\n\n".join(sources[:end]) + "\n" for end in range(1, len(sources) + 1)]
    buttons = page.locator(f"{CELLS} button.copypage").all()
    assert [copied(page, button) for button in buttons] == scripts
    page.close()


@pytest.mark.parametrize("docname", ["index", "reference/api", *PAGES])
def test_copy_button_outside_of_cells_leaves_prompts_and_output_out(visit, docname):
    page = visit(docname)
    prompts = page.locator("div.highlight .gp").count()
    assert prompts or docname != "reference/api", "expected the examples of the reference"
    for button in page.locator("div.highlight button.copybtn").all():
        if button.evaluate(f"button => !!button.closest('{CELLS}')"):
            continue
        block = button.evaluate("button => button.parentElement.querySelector('pre').textContent")
        given = copied(page, button)
        lines = given.splitlines()
        assert lines, f"nothing was copied from {block!r}"
        assert not [line for line in lines if line.startswith((">>> ", "$ ", "In ["))]
        assert all(line in block for line in lines)
        if ">>> " in block:
            shown = [line for line in block.splitlines() if line[:4] in (">>> ", "... ", "...")]
            assert [line for line in lines if line] == [line[4:] for line in shown if line[4:]]
    page.close()


def test_buttons_work_where_the_site_is_opened_from_a_folder(browser, built_site):
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    docname = "tutorials/a-first-neuron"
    page.goto((built_site / f"{docname}.html").as_uri(), wait_until="load")
    page.wait_for_selector("button.copybtn")
    first = readable(docname)[0]
    assert copied(page, page.locator(f"{CELLS} button.copybtn").first) == first
    assert copied(page, page.locator(f"{CELLS} button.copypage").first) == f"{first}\n"
    context.close()
