"""What leaves the site: downloads, plain Markdown, and buttons that open notebooks elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all that is written beside a page."""
    # Imported here, so that the scripts of this room run without Sphinx.
    from publish import downloads, launch, markdown

    app.setup_extension("sphinx_markdown_builder")  # for the settings that its translator reads
    app.add_config_value("launch_from", "", "html", [str])
    # When the pages have run: until then another build may write the same site.
    app.connect("pages-judged", downloads.write_wheel)
    app.connect("html-page-context", markdown.write_twin)
    # After the theme's own handlers, which make the row and the groups of buttons.
    after_the_theme = 900
    app.connect("html-page-context", downloads.offer_downloads, priority=after_the_theme)
    app.connect("html-page-context", launch.offer_services, priority=after_the_theme)
    app.connect("build-finished", markdown.write_list)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
