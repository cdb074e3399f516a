"""What copy buttons put into the clipboard is the code that the build ran, byte for byte."""

import pytest

from planting import STYLES, add, faults, give, plant, planted_copy, put_into, swap, take
from site_pages import PAGES, readable

pytestmark = pytest.mark.browser
CODE = {docname: code for docname in PAGES if (code := readable(docname))}
NEURON = "tutorials/a-first-neuron"
REFERENCE = "reference/api"
CELLS = "div.cell_input"
PERMISSIONS = ["clipboard-read", "clipboard-write"]
# What is in the clipboard, which afterwards holds something else: a button that does nothing
# must not be taken for one that copies the same again.
TAKE = """async () => {
  const given = await navigator.clipboard.readText();
  await navigator.clipboard.writeText('nothing was copied');
  return given;
}"""
# Whether a mouse would meet the button where it is; it has the focus afterwards.
MEETS = """button => {
  button.scrollIntoView({block: 'center'});
  const box = button.getBoundingClientRect();
  const met = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  button.focus();
  return button.contains(met) && document.activeElement === button;
}"""
NOT_PRESSED = "nothing: expected a button that can be pressed"
PROMPTS = (">>> ", "$ ", "In [")
# What is undone, on which page, the file and its change, what the checks say.
FAULTS = [
    (
        "the script of the copy buttons is not loaded",
        NEURON,
        (f"{NEURON}.html", take("script[src*='/copybutton.js']")),
        "expected a copy button for each of",
    ),
    (
        "the script that copies the page so far is not loaded",
        NEURON,
        (f"{NEURON}.html", take("script[src*='/copy-page.js']")),
        "expected a script button for each of",
    ),
    (
        "folded cells, as those of solutions, have no button",
        NEURON,
        (
            "_static/copybutton.js*",
            swap(".cell .cell_input", ".cell:not(.tag_hide-cell) .cell_input"),
        ),
        "expected a copy button for each of",
    ),
    (
        "a cell on the page is not the one that ran",
        NEURON,
        (f"{NEURON}.html", put_into(".cell_input pre", "pass")),
        "copy button of cell 1",
    ),
    (
        "the page so far ends before its cell",
        NEURON,
        ("_static/copy-page.js*", swap("cells.indexOf(pre) + 1", "cells.indexOf(pre)")),
        "script button of cell 1",
    ),
    (
        "cells of the page so far run into each other",
        NEURON,
        ("_static/copy-page.js*", swap('join("\\n\\n")', 'join("\\n")')),
        "script button of cell 2",
    ),
    (
        "buttons do nothing",
        NEURON,
        ("_static/clipboard.min.js*", swap("execCommand", "noCommand")),
        "copy button of cell 1",
    ),
    (
        "buttons are covered",
        NEURON,
        (STYLES, add("button.copybtn { pointer-events: none }")),
        NOT_PRESSED,
    ),
    (
        "prompts are copied",
        REFERENCE,
        ("_static/copybutton.js*", swap(".linenos, .gp, .go", ".linenos, .go")),
        "expected no prompts",
    ),
    (
        "what examples print is copied",
        REFERENCE,
        ("_static/copybutton.js*", swap(".linenos, .gp, .go", ".linenos, .gp")),
        "expected only what is typed",
    ),
    (
        "examples have no button",
        REFERENCE,
        ("_static/copybutton.js*", swap(", div.highlight:not(.cell *) pre", "")),
        "expected a copy button for each of",
    ),
]
# As in the examples of the reference, once a folder is opened instead of a server's address.
FOLDER_FAULTS = [
    (
        "the script is asked for at the root",
        (f"{NEURON}.html", give("script[src*='/copybutton.js']", "src", "/_static/copybutton.js")),
        "expected a copy button for each of",
    ),
    (
        "the page so far ends before its cell",
        ("_static/copy-page.js", swap("cells.indexOf(pre) + 1", "cells.indexOf(pre)")),
        "script button of",
    ),
    (
        "what copies is not loaded",
        (f"{NEURON}.html", take("script[src*='/clipboard.min.js']")),
        "expected a copy button for each of",
    ),
]


@pytest.fixture(scope="module")
def window(browser):
    """Pages in it may write to the clipboard, and tests may read it."""
    page = browser.new_page()
    page.context.grant_permissions(PERMISSIONS)
    yield page
    page.close()


@pytest.mark.parametrize("docname", ["index", REFERENCE, *CODE])
def test_copy_buttons_of_a_page_give_the_code_that_ran_and_nothing_else(page, address, docname):
    assert not copy_problems(page, f"{address}{docname}.html", CODE.get(docname, []))
    assert docname != REFERENCE or page.locator("div.highlight .gp").count(), "expected examples"


@pytest.mark.parametrize(
    ("docname", "fault", "says"), faults(FAULTS, check=lambda docname, *_: docname)
)
def test_fault_that_is_planted_in_copying_is_found(page, address, docname, fault, says):
    plant(page, *fault)
    found = copy_problems(page, f"{address}{docname}.html", CODE.get(docname, []), only=2)
    assert [problem for problem in found if says in problem], found


def test_mouse_presses_buttons_too(page, address):
    page.goto(f"{address}{NEURON}.html", wait_until="load")
    page.locator(f"{CELLS} button.copybtn").first.click()
    assert page.evaluate(TAKE) == CODE[NEURON][0]
    page.locator(f"{CELLS} button.copypage").first.click()
    assert page.evaluate(TAKE) == CODE[NEURON][0] + "\n"


def test_buttons_work_where_the_site_is_opened_from_a_folder(page, built_site):
    address = (built_site / f"{NEURON}.html").as_uri()
    assert not copy_problems(page, address, CODE[NEURON], only=2)


@pytest.mark.parametrize(("fault", "says"), faults(FOLDER_FAULTS))
def test_fault_in_copying_from_a_folder_is_found(page, built_site, tmp_path, fault, says):
    site = planted_copy(built_site, tmp_path / "site", *fault)
    found = copy_problems(page, (site / f"{NEURON}.html").as_uri(), CODE[NEURON], only=2)
    assert [problem for problem in found if says in problem], found


def copy_problems(page, address, sources, only=None):
    """Return what is wrong with the copy buttons of a page; `only` the first are pressed.

    Each cell has one for itself and one for the page so far, and every other block of code has
    one that leaves out prompts, and what examples print.
    """
    page.goto(address, wait_until="load")
    page.evaluate(TAKE)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    scripts = ["\n\n".join(sources[:end]) + "\n" for end in range(1, len(sources) + 1)]
    return [
        *problems_of_cells(page, "copy button", "copybtn", sources, only),
        *problems_of_cells(page, "script button", "copypage", scripts, only),
        *problems_of_other_blocks(page, only),
    ]


def problems_of_cells(page, name, selector, expected, only):
    buttons = page.query_selector_all(f"{CELLS} button.{selector}")
    if len(buttons) != len(expected):
        return [f"expected a {name} for each of {len(expected)} cells, got {len(buttons)}"]
    found = []
    for number, (button, text) in enumerate(zip(buttons, expected, strict=True), 1):
        if only is not None and number > only:
            break
        given = copied(page, button)
        if given != text:
            found.append(f"{name} of cell {number}: expected {text!r}, got {given!r}")
    return found


def copied(page, button):
    """Press a button and return what is in the clipboard then.

    By keyboard, which takes a tenth of what the mouse takes; a mouse has to meet it all the same.
    """
    if not button.evaluate(MEETS):
        return NOT_PRESSED
    page.keyboard.press("Enter")
    return page.evaluate(TAKE)


def problems_of_other_blocks(page, only):
    blocks = page.locator("div.highlight:not(.cell *)").count()
    buttons = page.query_selector_all("div.highlight:not(.cell *) button.copybtn")
    if len(buttons) != blocks:
        return [f"expected a copy button for each of {blocks} blocks, got {len(buttons)}"]
    found = []
    for button in buttons[:only]:
        block = button.evaluate("button => button.parentElement.querySelector('pre').textContent")
        given = copied(page, button)
        if problem := problem_of_block(block, given.splitlines()):
            found.append(f"{problem} of {block!r}, got {given!r}")
    return found


def problem_of_block(block, lines):
    """Say what is wrong with the lines that were copied of a block of code, or nothing."""
    if not any(line.strip() for line in lines):
        return "expected lines"
    if any(line.startswith(PROMPTS) for line in lines):
        return "expected no prompts"
    if not all(line in block for line in lines):
        return "expected nothing but lines"
    typed = [line[4:] for line in block.splitlines() if line[:4] in (">>> ", "... ", "...")]
    if ">>> " in block and [line for line in lines if line] != [line for line in typed if line]:
        return "expected only what is typed"
    return ""
