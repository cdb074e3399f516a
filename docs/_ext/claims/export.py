"""Write `claims.json`, which has everything that the list of claims shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from claims.gather import Claims
from run.build import Build, build_of
from run.provenance import provenance

FILE = "claims.json"
SCHEMA_VERSION = 2


def write_json(app: Sphinx, error: Exception | None) -> None:
    """Write the file next to the index page."""
    if error or app.builder.format != "html":
        return
    build = build_of(app)
    titles = {docname: title.astext() for docname, title in app.env.titles.items()}
    quoted: Mapping[str, list[str]] = app.env.quoted_figures  # type: ignore[attr-defined]
    facts = as_json(build, build.facts[Claims], quoted, titles)
    facts["build"] = asdict(provenance(build.root))
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    Path(app.outdir, FILE).write_text(text + "\n", encoding="utf8")


def verdict(claims: Claims, name: str) -> str:
    """Say in a word what the build found; a build in which a claim is missed has failed."""
    return "holds" if claims.claims[name].bound else "measured"


def as_json(
    build: Build, claims: Claims, quoted: Mapping[str, list[str]], titles: Mapping[str, str]
) -> dict[str, Any]:
    """Return pages, claims and quoted figures as JSON has them."""
    pages = []
    for result in build.results:
        run = result.run
        assert run, result.page.docname  # a build without it has failed
        pages.append(
            {
                "page": result.page.docname,
                "title": titles.get(result.page.docname, ""),
                "seconds": run.seconds,
                "core_seconds": run.cpu_seconds,
                "programs_compiled": run.compiled,
                "compile_seconds": run.compile_seconds,
                "budget": result.page.budget,
                "peak_memory_bytes": run.peak_memory,
                "run_at": run.finished_at,
                **asdict(run.provenance),
            }
        )
    rows = []
    for name, claim in claims.claims.items():
        record, room = claims.recorded.get(name), claims.rooms.get(name)
        rows.append(
            {
                **asdict(claim),
                "shown": claims.shown(name),
                "verdict": verdict(claims, name),
                "least_room": asdict(room) if room else None,
                "fails_when": claims.fails_when.get(name, []),
                "recorded": dict(record.facts) if record else None,
                "stale": bool(record and record.stale),
            }
        )
    figures = [{"page": page, "text": text} for page in sorted(quoted) for text in quoted[page]]
    return {"schema": SCHEMA_VERSION, "pages": pages, "claims": rows, "quoted": figures}
