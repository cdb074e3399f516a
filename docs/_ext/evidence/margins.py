"""Run pages again with other seeds and record what they measure.

`nox -s margins` runs every page whose record is missing or old ten times, with its own seeds and
with nine shifts added to every seed that the page or the package sets: other data, weights,
batches and splits. A page that does not run to its end in each has no record. The values of this
Python's stack go into `docs/evidence/margins.json`; the site shows the least room of each bound.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

from claims.gather import Claims
from evidence.judged import means
from evidence.records import MARGINS, code_of, load, save
from run.page import Page, list_pages
from run.rerun import after, rerun
from run.schedule import run_pages

ROOT = Path(__file__).parents[3]
DRAWS = 10
# Runs before a page: every seed set by page or package moves by the same amount.
SHIFT_SEEDS = """
import brainstate, jax, numpy

def shifted(function):
    def call(seed, *arguments, **named):
        if isinstance(seed, (int, numpy.integer)):
            seed = int(seed) + {shift}
        elif isinstance(seed, (list, tuple)):
            seed = [int(part) + {shift} for part in seed]
        return function(seed, *arguments, **named)
    return call

numpy.random.default_rng = shifted(numpy.random.default_rng)
brainstate.random.seed = shifted(brainstate.random.seed)
jax.random.key = shifted(jax.random.key)
"""


def main() -> int:
    """Measure the margins asked for; return 1 if a claim missed its bound in some draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="page names; by default all without a record")
    parser.add_argument("--draws", type=int, default=DRAWS)
    options = parser.parse_args()
    stack = ".".join(platform.python_version_tuple()[:2])
    pages = [page for page in list_pages(ROOT) if _wanted(page, options.pages, stack)]
    print(f"Python {stack}, {options.draws} draws of {len(pages)} pages", flush=True)
    claims = Claims.of_pages(ROOT, run_pages(ROOT))
    claims.hold()
    missed = failed = 0
    for page in pages:
        runs = _draws(page, options.draws)
        if len(runs) < options.draws:
            failed += 1
            continue
        missed += _report(page, claims, runs)
        save(ROOT, MARGINS, stack, page, runs)
    print(f"{failed} pages did not run to their end; {missed} claims outside their bound in a draw")
    return int(missed + failed > 0)


def _wanted(page: Page, names: list[str], stack: str) -> bool:
    if names:
        return page.docname in names
    record = load(ROOT, MARGINS).get(stack, {}).get(page.docname)
    return record is None or record.code != code_of(ROOT, page)


def _draws(page: Page, number: int) -> dict[str, dict[str, float]]:
    shifted = [after(SHIFT_SEEDS.format(shift=1000 * draw), page) for draw in range(number)]
    runs = {}
    for draw, run in enumerate(rerun(ROOT, shifted)):
        if run.problems:
            print(f"draw {draw}:", *run.problems, sep="\n", flush=True)
        else:
            runs[str(draw)] = means(run.measured)
    return runs


def _report(page: Page, claims: Claims, runs: dict[str, dict[str, float]]) -> int:
    print(f"\n{page.docname}", flush=True)
    missed = 0
    for name in sorted({name for values in runs.values() for name in values}):
        rooms = []
        for values in runs.values():
            held = claims.limits_under(name, values)
            room = held.room(values[name]) if held and name in values else None
            rooms += [] if room is None else [room]
        outside = sum(not room >= 0 for room in rooms)
        missed += bool(outside)
        least = f"least room {min(rooms):.2g}" if rooms else "not held"
        mark = f"MISSED in {outside} of {len(rooms)}" if outside else "ok"
        print(f"  {mark:<16} {name}: {least}", flush=True)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
