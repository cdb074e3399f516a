"""A page that fails ends the build, and the report names every such page and cell."""


def test_broken_page_is_named_with_line_and_cell_and_the_rest_executes(site):
    site.edit("docs/first.md", 'print("first constant"', 'undefined_name\nprint("first constant"')
    site.edit("docs/second.md", "* 1000", "* 100")
    status, output = site.build()
    assert status != 0
    assert "1 of 2 pages failed" in output
    assert "docs/first.md:14 (cell 1) raised NameError" in output
    assert ">>> import trainable_spikes" in output
    assert site.executed() == ["second"], "a broken page must not stop the other pages"


def test_two_broken_pages_are_both_named(site):
    site.edit("docs/first.md", "Path(", "Pth(")
    site.edit("docs/second.md", "trainable_spikes.CONSTANT", "trainable_spikes.GONE")
    status, output = site.build()
    assert status != 0
    assert "docs/first.md:20 (cell 2) raised NameError" in output
    assert "docs/second.md:12 (cell 1) raised AttributeError" in output


def test_failed_page_is_not_stored_and_fails_again(site):
    site.edit("docs/second.md", "* 1000", "* undefined_name")
    assert site.build()[0] != 0
    status, output = site.build()
    assert status != 0
    assert "raised NameError" in output


def test_stray_stderr_fails_the_build_wherever_it_comes_from(site):
    site.edit("docs/first.md", "import trainable_spikes\n", "import warnings\n" + WARNS)
    site.edit("docs/second.md", "import trainable_spikes\n", "import os, time\n" + WRITES)
    status, output = site.build()
    assert status != 0
    assert "docs/first.md:14 (cell 1) wrote to stderr" in output
    assert "a stray warning" in output
    assert "docs/second.md:12 (cell 1) wrote to stderr" in output
    assert "from compiled code" in output


WARNS = "import trainable_spikes\nwarnings.warn('a stray warning')\n"
WRITES = "import trainable_spikes\nos.write(2, b'from compiled code'); time.sleep(0.5)\n"


def test_expected_error_that_does_not_come_fails(site):
    site.edit("docs/second.md", "raise ValueError(", "print(")
    status, output = site.build()
    assert status != 0
    assert "is tagged raises-exception but raised nothing" in output


def test_budget_overrun_fails_and_says_by_how_much(site):
    site.edit("docs/second.md", "budget: 30", "budget: 0.01")
    status, output = site.build()
    assert status != 0
    assert "docs/second.md: took" in output
    assert "more than 1.5 times its declared budget of 0.01" in output


def test_page_that_ends_its_process_is_named(site):
    site.edit("docs/first.md", "import trainable_spikes\n", "import os\nos._exit(9)\n")
    status, output = site.build()
    assert status != 0
    assert "docs/first.md:14 (cell 1) ended the page's process" in output


def test_page_without_kind_or_budget_fails_and_says_what_to_write(site):
    site.edit("docs/first.md", "kind: tutorial\n", "")
    site.edit("docs/second.md", "budget: 30\n", "budget: soon\n")
    status, output = site.build()
    assert status != 0
    assert "docs/first.md: expected `kind`" in output
    assert "docs/second.md: expected `budget`" in output
    assert "got 'soon'" in output


def test_formula_that_cannot_be_shown_fails_and_is_named(site):
    site.edit("docs/index.md", "$x^2$", r"$\nosuchcommand{x}$")
    status, output = site.build()
    assert status != 0
    assert "nosuchcommand" in output
    assert "index.md:3" in output


def test_figure_that_its_page_does_not_draw_is_named(site):
    borrowed = "$x^2$\n\n```{page-figure} first fig-gone\nA caption.\n```\n"
    site.edit("docs/index.md", "$x^2$", borrowed)
    status, output = site.build()
    assert status != 0
    assert "expected one of the figures of first: it has none; got 'fig-gone'" in output
