"""Sphinx configuration: what the site is made of. The logic is in _ext."""

import os
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

# Every machine builds the same pages, and a GPU without its wheels stays quiet.
os.environ["JAX_PLATFORMS"] = "cpu"
ROOT = Path(__file__).parents[1]
# The checkout's source is what pages run and what the reference documents.
sys.path[:0] = [str(ROOT / "docs" / "_ext"), str(ROOT / "src")]

from pages import inventories  # noqa: E402
from publish import host  # noqa: E402
from run.page import MYST_EXTENSIONS  # noqa: E402

# -- Project -----------------------------------------------------------------
project = "Trainable Spikes"
author = "The Trainable Spikes authors"
copyright = "The Trainable Spikes authors. Prose: CC BY 4.0, code: Apache-2.0"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

# -- Sources -----------------------------------------------------------------
html_baseurl = host.site_address(os.environ)
extensions = [
    "myst_nb",
    # Ours, in the order in which a build goes through them.
    "run",
    "claims",
    "evidence",
    "figures",
    "pages",
    "publish",
    # Theirs.
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_codeautolink",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "sphinx_last_updated_by_git",
    "notfound.extension",
    *host.extensions(html_baseurl),
]
# As the runner does: what it does not run is not shown either.
exclude_patterns = ["_*", "**/_*", "**/.*", "**/data"]
nitpicky = True
# Types of libraries whose inventory is not here before `nox -s inventories` has fetched it.
nitpick_ignore_regex = [(r"py:.*", r"(brain\w+|jax|jaxlib|saiunit)\b.*")]

# -- Pages -------------------------------------------------------------------
myst_enable_extensions = MYST_EXTENSIONS
myst_heading_anchors = 3
# `run` runs the pages; myst-nb only renders what it is given.
nb_render_markdown_format = "myst"  # CommonMark, the default, has no tables
nb_execution_mode = "off"
nb_merge_streams = True
nb_output_stderr = "remove-warn"

# Names in code link to this package's reference and, by files in the repository, to others'.
intersphinx_mapping = inventories.mapping()
codeautolink_concat_default = True

# -- Reference ---------------------------------------------------------------
autodoc_typehints = "none"  # numpydoc sections say the types, with shapes and units
autodoc_member_order = "bysource"
autosummary_generate = False  # numpydoc loads it, and it would import the package in every build
numpydoc_show_class_members = False

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

# -- HTML --------------------------------------------------------------------
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["sort-tables.js", "copy-page.js", "scrollable.js"]
templates_path = ["_templates"]
# The theme's own, with a landmark around the first.
html_sidebars = {
    "**": ["home.html", "icon-links.html", "search-button-field.html", "sbt-sidebar-nav.html"]
}
html_favicon = "_static/favicon.svg"
html_math_renderer = "mathml"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_toc_level": 2,
    # A search button here would come with hidden twins of the menu buttons, and the theme's
    # script would bind those instead.
    "navbar_persistent": [],
    **host.theme_options(os.environ),
}
launch_from = host.notebooks(os.environ)
html_last_updated_fmt = "%Y-%m-%d"
git_untracked_show_sourcelink = True
# An archive without history has no dates, and a shallow clone not all of them.
suppress_warnings = ["git.subprocess_error", "git.command_not_found", "git.too_shallow"]
# For the site map and the cards, where the site has an address.
sitemap_url_scheme = "{link}"
sitemap_excludes = ["404.html", "genindex.html", "py-modindex.html", "search.html"]
ogp_site_url = html_baseurl
# A host shows this page at any address, so its links begin at the host's root.
notfound_urls_prefix = urlsplit(html_baseurl).path or "/"
copybutton_exclude = ".linenos, .gp, .go"
copybutton_selector = ".cell .cell_input pre, div.highlight:not(.cell *) pre"
