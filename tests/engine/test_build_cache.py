"""What executes again after an edit, and what does not; on a site of two pages."""


def test_unchanged_site_executes_nothing(site):
    assert site.build_well() == []


def test_editing_src_executes_the_pages_and_shows_new_results(site):
    site.edit("src/trainable_spikes/__init__.py", "41", "42")
    assert site.build_well() == ["first", "second"]
    assert "first constant 42" in site.html("first")
    assert "42000" in site.html("second")


def test_reverting_src_brings_the_old_results_back_without_a_run(site):
    site.edit("src/trainable_spikes/__init__.py", "41", "42")
    site.build_well()
    site.edit("src/trainable_spikes/__init__.py", "42", "41")
    assert site.build_well() == []
    assert "first constant 41" in site.html("first")


def test_editing_prose_executes_nothing_and_shows_the_new_prose(site):
    site.edit("docs/first.md", "it may change", "it has changed")
    assert site.build_well() == []
    assert "it has changed" in site.html("first")
    assert "first constant 41" in site.html("first")


def test_editing_code_executes_that_page_only(site):
    site.edit("docs/second.md", "* 1000", "* 100")
    assert site.build_well() == ["second"]
    assert "4100" in site.html("second")


def test_editing_page_data_executes_the_pages(site):
    site.edit("docs/data/number.txt", "7", "8")
    assert site.build_well() == ["first", "second"]
    assert "first data 8" in site.html("first")


def test_damaged_store_entry_executes_that_page_again(site):
    (entry,) = (site.root / ".page-cache" / "first").glob("*.ipynb")
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2])
    site.edit("docs/first.md", "it may change", "it has changed")  # so that it is read again
    assert site.build_well() == ["first"]
    assert "first constant 41" in site.html("first")


def test_editing_what_renders_pages_renders_them_again_without_a_run(site):
    site.edit("docs/_ext/pages/executed.py", "This page ran on", "Executed on")
    assert site.build_well() == []
    assert "Executed on" in site.html("first")


def test_declaring_that_a_cell_runs_alone_executes_its_page(site):
    site.edit("docs/second.md", "[raises-exception]", "[raises-exception, alone]")
    assert site.build_well() == ["second"]


def test_every_shown_output_is_in_the_html_and_hidden_cells_are_not(site):
    first, second = site.html("first"), site.html("second")
    assert "first constant 41" in first
    assert "first data 7" in first
    assert "Show code cell source" in first
    assert "never shown" not in first
    assert "41000" in second
    assert "ValueError" in second
    assert "an error that the page is about" in second
    assert str(site.root) not in second, "an error that a page shows must not name our folders"


def test_formulas_are_mathml_with_numbers_and_no_scripts(site):
    first = site.html("first")
    assert "<math " in first
    assert 'alttext="\\tau \\frac{dV}{dt}' in first
    assert '<span class="eqno">(1)' in first
    assert "tex-mml" not in first, "MathJax would be fetched from a foreign host"
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in site.html("index")
