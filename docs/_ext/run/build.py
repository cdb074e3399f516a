"""What one build knows: an object on the Sphinx application that all rooms share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError

from run.schedule import PageResult

_ATTRIBUTE = "trainable_spikes_build"


class PagesFailed(SphinxError):
    """Some pages cannot be shown; the message is the report on all of them."""

    category = "Pages failed"


@dataclass
class Build:
    """The pages of a build with their runs, what is wrong with them, and what rooms add.

    `facts` holds what another room knows of this build, under its type.
    """

    root: Path
    results: list[PageResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    facts: dict[type, Any] = field(default_factory=dict)

    def result(self, docname: str) -> PageResult | None:
        """Return the page of that name with its run, or None if it runs no code."""
        return next((each for each in self.results if each.page.docname == docname), None)


def start_build(app: Sphinx) -> Build:
    """Put an empty account on the application, and return it."""
    build = Build(Path(app.srcdir).parent)
    setattr(app, _ATTRIBUTE, build)
    return build


def app_of(env: BuildEnvironment) -> Sphinx:
    """Return the application that reads a document."""
    # Sphinx 9 deprecates `env.app`, and has nothing public in its place.
    app: Sphinx = getattr(env, "_app", None) or env.app
    return app


def build_of(app: Sphinx) -> Build:
    """Return the account of the build that an application runs."""
    build: Build = getattr(app, _ATTRIBUTE)
    return build
