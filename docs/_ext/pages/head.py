"""The head of a page: a description for search engines, and scripts that do not hold it up.

The theme writes its scripts into the head, where each of them delays the page; the template
`layout.html` passes them through here.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from sphinx.application import Sphinx

from run.insides import missing

# Pages without a source of their own.
GENERATED = {
    "genindex": "All names and terms that the pages of {project} explain, in alphabetical order.",
    "py-modindex": "The modules of the package of {project}.",
    "search": "Search the pages of {project}.",
    "_modules/index": "The modules of the package of {project} whose source is shown here.",
}
SOURCE = "The source of {title}, from the package of {project}."
# Half a megabyte, compressed, that draws the icons which a font of the theme draws as well.
ICONS = "/fontawesome.js"
# What the first block of the theme's head has, and what a page loses where it has not.
EXPECTED = {
    ICONS: "pages may load half a megabyte of icons again",
    "prefers-color-scheme": "text moves when the colours of the page come",  # from `layout.html`
}
# The theme has these on every page, for results while somebody types, which is switched off.
SEARCH = ("/searchtools.js", "/language_data.js", "searchindex.js")
_WAITS = re.compile(r'\b(defer|async|type="module")')
_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script>", re.DOTALL)
# A browser finds the scripts at the end by itself, and this way the styles come before them.
_PRELOADED = re.compile(r'<link rel="preload" as="script"[^>]*>')


def give_light_scripts(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give templates the function that lightens their markup."""
    left_out = (ICONS,) if docname == "search" else (ICONS, *SEARCH)
    context["light_scripts"] = lambda markup: lightened(markup, left_out)


def lightened(markup: str, left_out: tuple[str, ...]) -> str:
    """Let the scripts of some markup wait for the page, in the same order, and leave some out."""

    def mended(match: re.Match[str]) -> str:
        script, tag = match[0], match[0].split(">")[0]
        source = re.search(r'\bsrc="([^"?]*)', tag)
        if source and source[1].endswith(left_out):
            return ""
        if _WAITS.search(tag):
            return script
        if source:
            return script.replace("<script", "<script defer", 1)
        # What refers to a script that waits has to wait as well, as only a module can.
        if "DOCUMENTATION_OPTIONS" in script:
            return script.replace("<script", '<script type="module"', 1)
        return script

    for part, lost in EXPECTED.items() if 'rel="stylesheet"' in markup else ():
        if part not in markup:
            missing(f"{part} (or a place for it) in the theme's head", lost)
    return _SCRIPT.sub(mended, _PRELOADED.sub("", markup))


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


def add_scripts(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Load the `scripts` that the front matter names, on this page alone."""
    for name in app.env.metadata.get(docname, {}).get("scripts", "").split():
        app.add_js_file(name, loading_method="defer")
