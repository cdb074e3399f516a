"""What a reader meets: executed pages, links in code, the reference, the course, symptoms."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from pages import (
    corrections,
    course,
    executed,
    formulas,
    head,
    reference,
    search_words,
    symptoms,
)
from run.insides import optional


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all that is done to a document, from reading it to writing it."""
    for name in ("sphinx.ext.autodoc", "numpydoc", "sphinx_codeautolink", "notfound.extension"):
        app.setup_extension(name)
    app.add_directive("course-map", course.CourseMap)
    app.add_directive("symptoms", symptoms.Symptoms)
    app.add_html_math_renderer(
        "mathml", (formulas.visit_inline, None), (formulas.visit_block, None)
    )
    app.add_search_language(search_words.PartsOfNames)
    code_links = optional("pages.code_links", "names in code cells link to nothing")
    if code_links:
        code_links.replace_parts()
        app.connect("pages-judged", code_links.restore_names)
        # Before sphinx-codeautolink looks names up, at the usual priority.
        app.connect("env-updated", code_links.remember_names, priority=400)
    # Before anything is read.
    app.connect("pages-judged", executed.give_formats)
    app.connect("pages-judged", reference.gather_uses)
    app.connect("env-get-outdated", executed.outdated_pages)
    app.connect("env-get-outdated", reference.outdated_users)
    app.connect("env-purge-doc", reference.purge_users)
    app.connect("env-merge-info", reference.merge_users)
    # While documents are read. numpydoc, which is set up above, comes first.
    app.connect("autodoc-process-signature", reference.use_init)
    app.connect("autodoc-process-docstring", reference.add_pages)
    app.connect("doctree-read", executed.check_marks)
    # When all are read.
    app.connect("doctree-resolved", corrections.name_columns)
    app.connect("doctree-resolved", corrections.lead_from_anywhere)
    # While pages are written. Social cards describe at the usual priority what has no description.
    app.connect("html-page-context", head.describe, priority=400)
    app.connect("html-page-context", head.add_scripts)
    app.connect("html-page-context", head.give_light_scripts)
    app.connect("html-page-context", corrections.name_citations)
    if code_links:
        app.connect("html-page-context", code_links.thin_out)  # after the links are put in
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
