"""Reach into another library where it has no public way, and go on without it when that is gone.

The list of all such places, with their reasons, is in `docs/_ext/README.md`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def inside(owner: Any, name: str, lost: str) -> Any:
    """Return an attribute that a library does not document, or None with a warning.

    `lost` says what a reader of the site goes without. Names may be joined by dots.
    """
    found = owner
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        owner_name = getattr(owner, "__name__", type(owner).__qualname__)
        missing(f"{owner_name}.{name}", lost)
    return found


def optional(module: str, lost: str) -> Any:
    """Import a module of ours that uses insides, or return None with a warning if they are gone."""
    try:
        return import_module(module)
    except (ImportError, AttributeError) as error:
        missing(f"what {module} uses ({error})", lost)
        return None


def missing(what: str, lost: str) -> None:
    """Warn that a library has changed inside, and say what readers lose."""
    LOGGER.warning(
        "expected %s inside another library, which has changed: %s. The site is built without it; "
        "docs/_ext/README.md says why it was used",
        what,
        lost,
        type="trainable_spikes",
        subtype="inside",
        once=True,
    )
