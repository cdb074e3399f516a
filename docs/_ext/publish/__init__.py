"""What leaves the site: downloads, plain Markdown, and buttons that open notebooks elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all that is written beside a page."""
    # Imported here, so that the scripts of this room run without Sphinx.
    from publish import launch
    from run.insides import optional

    markdown = optional("publish.markdown", "pages have no twin in plain Markdown")
    downloads = optional("publish.downloads", "pages cannot be downloaded")
    app.setup_extension("sphinx_markdown_builder")  # for the settings that its translator reads
    app.add_config_value("launch_from", "", "html", [str])
    # When the pages have run: until then another build may write the same site.
    if downloads:
        app.connect("pages-judged", downloads.write_wheel)
    if markdown:
        app.connect("html-page-context", markdown.write_twin)
        app.connect("build-finished", markdown.write_list)
    # After the theme's own handlers, which make the row and the groups of buttons.
    after_the_theme = 900
    if downloads:
        app.connect("html-page-context", downloads.offer_downloads, priority=after_the_theme)
    app.connect("html-page-context", launch.offer_services, priority=after_the_theme)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
