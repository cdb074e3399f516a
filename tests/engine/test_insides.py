"""Insides of other libraries may go: the site is built without what they gave, and says so."""

import logging
import sys
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

from pages import code_links, executed, head
from publish import downloads, launch
from run import lifecycle
from run.build import app_of
from run.insides import inside, optional

LOST = "a nicety"


@pytest.fixture
def said(caplog):
    """What the build warned of."""
    caplog.set_level(logging.WARNING)
    # As before a build, when Sphinx has not taken over its own messages.
    logging.getLogger("sphinx").propagate = True
    return lambda: caplog.text


def test_what_is_there_is_returned_without_a_word(said):
    assert inside(logging, "Logger.manager", LOST) is logging.Logger.manager
    assert not said()


def test_what_is_gone_is_named_with_what_it_costs(said):
    assert inside(logging, "Logger.gone", LOST) is None
    assert "expected logging.Logger.gone inside another library" in said()
    assert LOST in said()


def test_names_in_code_go_unlinked_without_the_parts_of_codeautolink(said, monkeypatch):
    monkeypatch.setattr(code_links, "extension", SimpleNamespace(__name__="extension"))
    monkeypatch.setattr(code_links, "viewcode", SimpleNamespace(__name__="viewcode"))
    code_links.replace_parts()
    code_links.remember_names(None, SimpleNamespace())
    for name in ("extension.link_html", "viewcode.get_module_filename", "codeautolink_transforms"):
        assert name in said()


def test_pages_have_no_outputs_without_the_readers_of_myst_nb(said):
    app = SimpleNamespace(env=SimpleNamespace())
    executed.give_formats(app, None)
    app.env.mystnb_config = SimpleNamespace()
    executed.give_formats(app, None)
    assert executed.outdated_pages(app, app.env) == []
    assert "mystnb_config" in said()
    assert "custom_formats" in said()


def test_the_cells_of_a_document_are_missed_without_the_marks_of_myst_nb(said):
    page = SimpleNamespace(cells=[SimpleNamespace(tags=())])
    build = SimpleNamespace(result=lambda docname: SimpleNamespace(page=page))
    app = SimpleNamespace(env=SimpleNamespace(docname="first"), trainable_spikes_build=build)
    document = new_document("first")
    marks = {"nb_element": "cell_code", "cell_index": 1, "cell_metadata": {}}
    document += nodes.container("", **marks)
    executed.check_marks(app, document)
    assert not said()
    del document[0]["cell_index"]
    executed.check_marks(app, document)
    assert "expected cell_index, cell_metadata, nb_element" in said()


def test_heads_that_the_theme_has_changed_are_written_all_the_same(said):
    styles, script = '<link rel="stylesheet" href="theme.css">', '<script src="x.js"></script>'
    assert head.lightened(f"{styles}{script}", ()) == (
        f'{styles}<script defer src="x.js"></script>'
    )
    assert "/fontawesome.js" in said()
    assert "prefers-color-scheme" in said()


def test_directives_find_the_build_without_the_private_name_of_the_application():
    assert app_of(SimpleNamespace(_app="private", app="public")) == "private"
    assert app_of(SimpleNamespace(app="public")) == "public"


def test_pages_have_no_menus_without_the_buttons_of_the_theme(said, monkeypatch, tmp_path):
    page = SimpleNamespace(docname="first")
    build = SimpleNamespace(result=lambda docname: SimpleNamespace(page=page))
    app = SimpleNamespace(
        config=SimpleNamespace(launch_from="o/n/b"),
        outdir=tmp_path,
        builder=SimpleNamespace(name="html"),
        trainable_spikes_build=build,
    )
    launch.offer_services(app, "first", "", {}, None)
    empty = SimpleNamespace(cells=[])
    monkeypatch.setattr(downloads, "notebooks", lambda *_: (empty, empty))
    monkeypatch.setattr(downloads.nbformat, "writes", lambda _: "")
    monkeypatch.setattr(downloads.jupytext, "writes", lambda *_, **__: "")
    monkeypatch.setattr(downloads, "_as_notebook", lambda _: empty)
    downloads.offer_downloads(app, "first", "", {}, object())
    assert "`header_buttons`" in said()
    assert "`download-buttons`" in said()
    assert (tmp_path / "downloads" / "first.py").exists(), "the files are there all the same"


def test_a_build_counts_as_unfinished_without_the_count_of_warnings(said, tmp_path):
    locks = []
    build = SimpleNamespace(
        facts={lifecycle.FileLock: SimpleNamespace(release=lambda: locks.append(1))}
    )
    app = SimpleNamespace(doctreedir=tmp_path, trainable_spikes_build=build)
    lifecycle.finish(app, None)
    assert locks == [1], "the next build may begin"
    assert not (tmp_path / "whole").exists()
    assert "_warncount" in said()


@pytest.mark.parametrize(
    ("module", "gone"),
    [
        ("publish.markdown", "sphinx_markdown_builder.translator"),
        ("publish.downloads", "sphinx_markdown_builder.translator"),
        ("pages.code_links", "sphinx_codeautolink.extension.block"),
    ],
)
def test_a_module_whose_insides_are_gone_is_left_out(said, monkeypatch, module, gone):
    for name in [name for name in sys.modules if name.startswith(("publish.", "pages.code"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, gone, None)
    assert optional(module, LOST) is None
    assert f"what {module} uses" in said()
    monkeypatch.undo()
    assert optional(module, LOST)


def test_the_site_is_built_without_twins_downloads_and_links_in_code(site):
    gone = ("sphinx_markdown_builder.translator", "sphinx_codeautolink.extension.block")
    absent = f"for _name in {gone}:\n    sys.modules[_name] = None"
    site.edit("docs/conf.py", "nitpicky = True", absent)
    site.edit("docs/conf.py", '    "sphinx_codeautolink",\n', "")
    site.edit("docs/_ext/pages/__init__.py", '"sphinx_codeautolink", ', "")
    status, output = site.build()
    assert status != 0, "strict builds name what is gone"
    for what in ("publish.markdown", "publish.downloads", "pages.code_links"):
        assert f"expected what {what} uses" in output
    assert "first constant 41" in site.html("first"), "and the site is there"
