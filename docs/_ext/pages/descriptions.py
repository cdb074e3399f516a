"""Say of each page what it is about, for search engines and whoever shares a link."""

from __future__ import annotations

from html import escape
from typing import Any

from sphinx.application import Sphinx

# Pages without a source of their own.
GENERATED = {
    "genindex": "All names and terms that the pages of {project} explain, in alphabetical order.",
    "py-modindex": "The modules of the package of {project}.",
    "search": "Search the pages of {project}.",
    "_modules/index": "The modules of the package of {project} whose source is shown here.",
}
SOURCE = "The source of {title}, from the package of {project}."


def setup(app: Sphinx) -> dict[str, Any]:
    # Before the social cards, which describe what has no description.
    app.connect("html-page-context", describe, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def describe(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put the `description` of the front matter into the head."""
    words = app.env.metadata.get(docname, {}).get("description")
    if not words and not docname.startswith("_modules/") and docname not in GENERATED:
        return
    if not words:
        generated = GENERATED.get(docname, SOURCE)
        words = generated.format(title=context.get("title", docname), project=app.config.project)
    tag = f'<meta name="description" content="{escape(words)}" />'
    context["metatags"] = context.get("metatags", "") + tag
