"""Run pages again after another first cell, and return the claims of every run."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claim_record import MIME, RECORD_VARIABLE, Claim
from compiled_programs import programs_folder
from page_kernel import EXPECTED_ERROR, Machine, kernel_environment, n_cores, prepare, run_page
from page_runner import short_folder
from page_source import Cell, Page
from page_store import PageStore


@dataclass(frozen=True)
class Rerun:
    """The claims that one run of a page registered, and what went wrong in it.

    `problems` are those that would fail a build, `errors` what cells raised.
    """

    claims: list[Claim]
    problems: list[str]
    errors: list[str]


def after(first_cell: str, page: Page) -> Page:
    """Return the page with a cell before its own."""
    return dataclasses.replace(page, cells=(Cell(first_cell, (), 0), *page.cells))


def rerun(root: Path, pages: Sequence[Page], *, past_errors: bool = False) -> list[Rerun]:
    """Run pages, as many at once as there are cores, and return the claims of each.

    A claim outside its bound is kept, not raised. With `past_errors` a failing cell does not
    end its page: what later cells claim counts too.
    """
    return asyncio.run(_rerun(root, pages, (EXPECTED_ERROR,) * past_errors))


async def _rerun(root: Path, pages: Sequence[Page], tags: tuple[str, ...]) -> list[Rerun]:
    store = PageStore.of(root).folder
    environment = kernel_environment(root, store) | {RECORD_VARIABLE: "1"}
    await asyncio.to_thread(prepare, environment)
    machine = Machine()

    async def one(page: Page, socket: Path) -> Rerun:
        cells = [dataclasses.replace(cell, tags=(*cell.tags, *tags)) for cell in page.cells]
        page = dataclasses.replace(page, cells=tuple(cells))
        folder, programs = (root / page.path).parent, programs_folder(store, n_cores(page))
        run = await run_page(page, folder, environment, socket, programs, machine)
        outputs = [output for cell in run.notebook.cells for output in cell.get("outputs", [])]
        claims = [_claim(o.data[MIME]) for o in outputs if MIME in o.get("data", {})]
        errors = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
        return Rerun(claims, run.problems, errors)

    with tempfile.TemporaryDirectory(prefix="rerun-", dir=short_folder()) as sockets:
        runs = (one(page, Path(sockets, str(n))) for n, page in enumerate(pages))
        return await asyncio.gather(*runs)


def _claim(kept: dict[str, Any]) -> Claim:
    claim = Claim(**kept)  # its way here was JSON, where a nan is a word
    room = None if claim.room is None else float(claim.room)
    return dataclasses.replace(claim, value=float(claim.value), room=room)
