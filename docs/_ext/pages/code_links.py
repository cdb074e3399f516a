"""Link names in code cells to where they are documented: sphinx-codeautolink, and what it lacks.

A name is documented as `matplotlib.axes.Axes`, and Python calls it `matplotlib.axes._axes.Axes`:
the aliases are found in the modules that `LIBRARIES` load. Only the first link to a place is a
stop for the Tab key, and links to Python's built-ins are none: a reader with a keyboard would meet
hundreds on a page.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cache, partial
from html import unescape
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.ext import viewcode
from sphinx.ext.intersphinx import InventoryAdapter
from sphinx.util import logging
from sphinx_codeautolink import extension
from sphinx_codeautolink.extension.block import SourceTransform, construct_name_pattern
from sphinx_codeautolink.extension.resolve import CouldNotResolve, resolve_location
from sphinx_codeautolink.parse import Name

from run.build import Build
from run.insides import inside
from run.key import fingerprint

LOGGER = logging.getLogger(__name__)
# Loaded here, so that the classes in them are known under all their names.
LIBRARIES = ("brainpy.state", "braintools", "jax", "matplotlib.pyplot", "trainable_spikes")
UNIT = "brainunit.Unit"
_LINK = re.compile(r'<a (class="sphinx-codeautolink-a" href="([^"]+)")')
_BUILT_IN = re.compile(r"//docs\.python\.org/[^/]+/library/(functions|stdtypes)\.html")
_FOLDED = re.compile(r"(<details.*?</details>)", re.DOTALL)
_TAG = re.compile("<[^>]*>")
_CODE = re.compile(
    r'(<div class="(?:doctest )?highlight-(?:python3?|default) notranslate">'
    r".*?</pre></div>\s*</div>)",
    re.DOTALL,
)
_LOST = "names in code cells do not all link to where they are documented"


def replace_parts() -> None:
    """Put our functions in the place of slower ones of sphinx-codeautolink and viewcode."""
    if inside(extension, "link_html", _LOST) and inside(extension, "resolve_location", _LOST):
        extension.link_html = link_in_code
    if inside(viewcode, "get_module_filename", "viewcode imports the package in every build"):
        viewcode.get_module_filename = module_file  # type: ignore[assignment]  # any path will do


def restore_names(app: Sphinx, build: Build) -> None:
    """Restore what earlier builds read of the cells; sphinx-codeautolink keeps it for .rst alone.

    Without it, a page that is written again but not read again would lose its links.
    """
    if hasattr(app.env, "sphinx_codeautolink_transforms"):
        app.env.sphinx_codeautolink_transforms.update(getattr(app.env, "code_read", {}))


def module_file(app: Sphinx, module: str) -> Path | None:
    """Return where a module of this package is; viewcode would import it to know."""
    found = Path(app.srcdir).parent.joinpath("src", *module.split("."))
    places = (found.with_suffix(".py"), found / "__init__.py")
    return next((file for file in places if file.exists()), None)


def remember_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Make sphinx-codeautolink look up each name once in this build and later ones.

    Looking one up imports its library, which takes longer than all else after an edit of prose.
    """
    if not inside(env, "sphinx_codeautolink_transforms", _LOST):
        return
    # A copy, because the library removes names that are documented nowhere.
    env.code_read = deepcopy(env.sphinx_codeautolink_transforms)  # type: ignore[attr-defined]
    others = InventoryAdapter(env).main_inventory
    documented = {name for kind in others if kind.startswith("py:") for name in others[kind]} | set(
        env.domains.python_domain.objects
    )
    names = hashlib.sha256("\n".join(sorted(documented)).encode()).hexdigest()
    of = (fingerprint(Path(app.srcdir).parent), names)
    if getattr(env, "code_places", (None,))[0] != of:
        env.code_places = (of, {})  # type: ignore[attr-defined]
    known: dict[tuple[str, ...], str | None] = env.code_places[1]  # type: ignore[attr-defined]

    @cache
    def other_names() -> dict[str, str]:
        load_used(env)
        return aliases(documented)

    def place(name: Name, inventory: dict[str, str]) -> str:
        parts = tuple(name.import_components)
        if parts not in known:
            known[parts] = _looked_up(name, inventory, other_names())
        if (found := known[parts]) is None:
            raise CouldNotResolve
        return found

    extension.resolve_location = place


def _looked_up(name: Name, inventory: dict[str, str], other_names: dict[str, str]) -> str | None:
    """Return the name under which something in code is documented, or None."""
    try:
        found = resolve_location(name, inventory)
    except CouldNotResolve:
        return None
    return other_names.get(found, found)


def load_used(env: BuildEnvironment) -> None:
    """Import the libraries that cells use: aliases are found in loaded modules alone."""
    cells = chain.from_iterable(env.sphinx_codeautolink_transforms.values())  # type: ignore[attr-defined]
    used = {name.import_components[0] for cell in cells for name in cell.names}
    for name in LIBRARIES:
        if name.partition(".")[0] in used:
            import_module(name)


def aliases(documented: set[str]) -> dict[str, str]:
    """Map the names that Python gives to classes and units to the documented ones."""
    found = {f"brainunit.{name}": UNIT for name in _units()}
    members: dict[str, list[str]] = {}
    for name in documented:
        owner, _, member = name.rpartition(".")
        members.setdefault(owner, []).append(member)
    for name in sorted(documented):
        thing = _imported(name)
        if not inspect.isclass(thing):
            continue
        real = f"{thing.__module__}.{thing.__qualname__}"
        # One package: brainunit documents JAX's types as its own.
        if real.partition(".")[0] == name.partition(".")[0]:
            found |= {real: name}
            found |= {f"{real}.{member}": f"{name}.{member}" for member in members.get(name, ())}
    return {real: name for real, name in found.items() if real not in documented}


def _units() -> list[str]:
    """Return the names of units, which link to the class of units."""
    unit, names = _imported(UNIT), vars(sys.modules.get("brainunit", object))
    return [
        name for name, each in names.items() if inspect.isclass(unit) and isinstance(each, unit)
    ]


def _imported(name: str) -> object:
    """Return what a name stands for where its module is loaded, or None: no other is loaded."""
    module = name
    while module and module not in sys.modules:
        module = module.rpartition(".")[0]
    thing: object = sys.modules.get(module)
    for part in name[len(module) :].split(".")[1:]:
        thing = getattr(thing, part, None)
    return thing


def link_in_code(
    document: str,
    html: str,
    transforms: Iterable[SourceTransform],
    inventory: dict[str, str],
    custom_blocks: dict[str, Any],
    search_css_classes: list[str],
    builder_name: str = "html",
    *,
    disable_link_titles: bool,
) -> str:
    """Put the links into a page's code, as `link_html` of sphinx-codeautolink does.

    The library parses each block into a tree four times, which took a third of a build that
    executes nothing. This searches the text of the HTML, by the same patterns.
    """
    if custom_blocks or search_css_classes or builder_name != "html" or disable_link_titles:
        raise ExtensionError(
            "links in code are made for the builder html and for no options of sphinx-codeautolink "
            f"about blocks, classes or titles; got such an option or the builder {builder_name!r}"
        )
    around = _CODE.split(html)
    blocks: dict[str, list[int]] = {}
    for index in reversed(range(1, len(around), 2)):  # the first of two alike is taken first
        blocks.setdefault(_text(around[index]).rstrip(), []).append(index)
    root = "../" * document.count("/")
    for transform in transforms:
        if not (alike := blocks.get(transform.source.rstrip())):
            _warn(document, "match_block", f"no block of HTML has the code\n{transform.source}")
            continue
        index = alike.pop()
        before, start, code = around[index].partition("<pre>")
        lines = code.split("\n")
        for name in transform.names:
            if not _link(lines, name, root, inventory[name.resolved_location]):
                _warn(document, "match_name", f"`{name.code_str}` is not in\n{transform.source}")
        around[index] = before + start + "\n".join(lines)
    return "".join(around)


def _text(html: str) -> str:
    return unescape(_TAG.sub("", html))


def _link(lines: list[str], name: Name, root: str, location: str) -> bool:
    """Put a link around the last place of a name in its lines; return whether there is one."""
    there = slice(name.lineno - 1, name.end_lineno)
    html = "\n".join(lines[there])
    found = list(re.finditer(construct_name_pattern(name), html))
    if not found:
        return False
    start, end = found[-1].start() + len(found[-1][1]), found[-1].end()
    text, place = html[start:end], name.resolved_location
    address = location if location.startswith(("http://", "https://")) else root + location
    # A title is left out where it says no more than the code.
    title = "" if "".join(_text(text).split()) == place else f' title="{place}"'
    link = f'<a class="sphinx-codeautolink-a" href="{address}"{title}>{text}</a>'
    lines[there] = f"{html[:start]}{link}{html[end:]}".split("\n")
    return True


def _warn(document: str, kind: str, what: str) -> None:
    LOGGER.warning(
        f"names in code cannot be linked: {what}",
        type="codeautolink",
        subtype=kind,
        location=document,
    )


def thin_out(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Take all links from code but the first to a place out of the order of the Tab key."""
    if "sphinx-codeautolink-a" in context.get("body", ""):
        context["body"] = "".join(_thinned(_FOLDED.split(context["body"])))


def _thinned(parts: Iterable[str]) -> Iterator[str]:
    """Yield each part with fewer stops; a folded part never has the only stop for a place."""
    seen: set[str] = set()
    for part in parts:
        met = set(seen) if part.startswith("<details") else seen
        yield _LINK.sub(partial(_with_stop, met), part)


def _with_stop(met: set[str], link: re.Match[str]) -> str:
    stop = link[2] not in met and not _BUILT_IN.search(link[2])
    met.add(link[2])
    return link[0] if stop else f'<a tabindex="-1" {link[1]}'
