"""Remember which claims each document shows, so that a build writes only what has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from claims.export import as_json
from claims.gather import Claims
from run.build import Build, app_of, build_of

EVERYTHING = "*"
_KEPT = ("claims_shown", "quoted_figures")  # by document, in Sphinx's environment


def connect(app: Sphinx) -> None:
    """Follow documents through Sphinx: begun, outdated, read again, read in another process."""
    app.connect("pages-judged", begin)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)


def begin(app: Sphinx, build: Build) -> None:
    """Prepare an environment that no build has used yet."""
    for name in _KEPT:
        if not hasattr(app.env, name):
            setattr(app.env, name, {})


def outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Name the documents that show something which is not what it was."""
    shown: dict[str, dict[str, str]] = env.claims_shown  # type: ignore[attr-defined]
    return [
        docname
        for docname, texts in shown.items()
        if docname in env.all_docs
        and any(_now(build_of(app), name) != text for name, text in texts.items())
    ]


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a document that is read again, or gone."""
    for name in _KEPT:
        getattr(env, name).pop(docname, None)


def merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    """Take what documents show from the process that has read them."""
    for name in _KEPT:
        found = getattr(other, name, {})
        getattr(env, name).update({d: found[d] for d in docnames if d in found})


def note(env: BuildEnvironment, name: str) -> None:
    """Note that the document being read shows a claim, a row of the list, or everything."""
    shown = env.claims_shown.setdefault(env.docname, {})  # type: ignore[attr-defined]
    shown[name] = _now(build_of(app_of(env)), name)


def note_quoted(env: BuildEnvironment, text: str) -> None:
    """Note a figure that the document being read quotes."""
    env.quoted_figures.setdefault(env.docname, []).append(text)  # type: ignore[attr-defined]


def _now(build: Build, name: str) -> str:
    claims: Claims = build.facts[Claims]
    if name == EVERYTHING:
        text = json.dumps(as_json(build, claims, {}, {}), sort_keys=True)
    elif name not in claims.claims:
        return ""
    else:
        facts = (asdict(claims.claims[name]), name in claims.recorded, claims.shown(name))
        text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
