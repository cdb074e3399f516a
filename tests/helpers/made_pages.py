"""Pages that a test makes up, and how it runs them."""

import asyncio
import tempfile
from pathlib import Path

from run.kernel import Machine, kernel_environment, prepare, run_page
from run.schedule import short_folder

ROOT = Path(__file__).parents[2]
FRONT_MATTER = """---
title: Title
gives: Two.
needs: Nothing.
description: Adds.
kind: howto
budget: 30
---
"""


def run_pages(pages, folder, *, together=False, programs=None):
    """Run pages on one machine, one after another or together."""
    environment = kernel_environment(ROOT, folder)
    prepare(environment)

    async def all_of_them(sockets):
        machine = Machine()
        runs = (
            run_page(page, folder, environment, Path(sockets, str(n)), programs, machine)
            for n, page in enumerate(pages)
        )
        return await asyncio.gather(*runs) if together else [await run for run in runs]

    with tempfile.TemporaryDirectory(dir=short_folder()) as sockets:
        return asyncio.run(all_of_them(sockets))
