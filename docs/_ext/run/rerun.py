"""Run pages again after another first cell, and return what every run measured."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from run.kernel import Machine, kernel_environment, n_cores, prepare, run_page
from run.page import EXPECTED_ERROR, Cell, Page
from run.programs import programs_folder
from run.schedule import short_folder
from run.shell.measuring import Measured
from run.store import PageStore, measured_in


@dataclass(frozen=True)
class Rerun:
    """What one run of a page measured, and what went wrong in it.

    `problems` are those that would fail a build, `errors` what cells raised.
    """

    measured: list[Measured]
    problems: list[str]
    errors: list[str]


def after(first_cell: str, page: Page) -> Page:
    """Return the page with a cell before its own."""
    return dataclasses.replace(page, cells=(Cell(first_cell, (), 0), *page.cells))


def rerun(
    root: Path, pages: Sequence[Page], *, past_errors: bool = False, path: Sequence[Path] = ()
) -> list[Rerun]:
    """Run pages, as many at once as there are cores, and return what each measured.

    With `past_errors` a failing cell does not end its page: what later cells measure counts too.
    `path` names folders with modules that the first cells import.
    """
    return asyncio.run(_rerun(root, pages, (EXPECTED_ERROR,) * past_errors, path))


async def _rerun(
    root: Path, pages: Sequence[Page], tags: tuple[str, ...], path: Sequence[Path]
) -> list[Rerun]:
    store = PageStore.of(root).folder
    environment = kernel_environment(root, store, *path)
    await asyncio.to_thread(prepare, environment)
    machine = Machine()

    async def one(page: Page, socket: Path) -> Rerun:
        cells = [dataclasses.replace(cell, tags=(*cell.tags, *tags)) for cell in page.cells]
        page = dataclasses.replace(page, cells=tuple(cells))
        folder, programs = (root / page.path).parent, programs_folder(store, n_cores(page))
        run = await run_page(page, folder, environment, socket, programs, machine)
        outputs = [output for cell in run.notebook.cells for output in cell.get("outputs", [])]
        errors = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
        return Rerun(measured_in(run.notebook), run.problems, errors)

    with tempfile.TemporaryDirectory(prefix="rerun-", dir=short_folder()) as sockets:
        runs = (one(page, Path(sockets, str(n))) for n, page in enumerate(pages))
        return await asyncio.gather(*runs)
