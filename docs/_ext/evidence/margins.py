"""Run pages again with other seeds and record how much room their claims have.

`nox -s margins` runs every page whose record is missing or old ten times, with its own seeds and
with nine shifts added to every seed that the page or the package sets: other data, weights,
batches and splits. A page that does not run to its end in each has no record. The record
of this Python's stack, `docs/evidence/margins.json`, is shown beside each claim.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

from claim_record import Claim
from margins_record import load_record, margins_key, save_margins
from page_rerun import after, rerun
from page_source import Page, list_pages

ROOT = Path(__file__).parents[2]
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
    pages = [p for p in list_pages(ROOT) if _wanted(p, options.pages, stack)]
    print(f"Python {stack}, {options.draws} draws of {len(pages)} pages", flush=True)
    missed = failed = 0
    for page in pages:
        draws = _draws(page, options.draws)
        if len(draws) < options.draws:
            failed += 1
            continue
        missed += _report(page, draws)
        rooms = [{c.name: c.room for c in draw if c.room is not None} for draw in draws]
        save_margins(ROOT, stack, page, rooms)
    print(f"{failed} pages did not run to their end; {missed} claims outside their bound in a draw")
    return int(missed + failed > 0)


def _wanted(page: Page, names: list[str], stack: str) -> bool:
    if names:
        return page.docname in names
    return load_record(ROOT).get(stack, {}).get(page.docname, {}).get("code") != margins_key(
        ROOT, page
    )


def _draws(page: Page, number: int) -> list[list[Claim]]:
    shifted = [after(SHIFT_SEEDS.format(shift=1000 * draw), page) for draw in range(number)]
    draws = []
    for draw, run in enumerate(rerun(ROOT, shifted)):
        if run.problems:
            print(f"draw {draw}:", *run.problems, sep="\n", flush=True)
        else:
            draws.append(run.claims)
    return draws


def _report(page: Page, draws: list[list[Claim]]) -> int:
    by_name: dict[str, list[Claim]] = {}
    for draw in draws:
        for claim in draw:
            by_name.setdefault(claim.name, []).append(claim)
    print(f"\n{page.docname}", flush=True)
    missed = 0
    for name, claims in by_name.items():
        held = [claim for claim in claims if claim.room is not None]
        outside = [claim for claim in held if not claim.holds]
        missed += bool(outside)
        values = ", ".join(f"{claim.value:.3g}" for claim in claims)
        least = f"least room {min(c.room or 0 for c in held):.2g}" if held else "not held"
        mark = f"MISSED in {len(outside)} of {len(claims)}" if outside else "ok"
        print(f"  {mark:<16} {name}: {least}; {claims[0].bound}; {values}", flush=True)
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
