"""The cache of executed pages: one file an execution, written whole or not at all.

Beside them, in folders of their own, is what `disk.remembered` and `programs` keep.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import nbformat
from filelock import BaseFileLock, FileLock
from nbformat import NotebookNode

from run.disk import write_whole
from run.provenance import Provenance
from run.shell.measuring import MIME, Measured

ENVIRONMENT_VARIABLE = "TRAINABLE_SPIKES_PAGE_STORE"
KEPT_PER_PAGE = 8
_METADATA = "page_run"


@dataclass(frozen=True)
class Execution:
    """A finished run of one page: its code cells with outputs, and what it cost.

    `compiled` counts the programs that earlier runs had not left to it; `compile_seconds` is what
    compiling took, or finding what was left.
    """

    notebook: NotebookNode
    seconds: float
    cpu_seconds: float
    finished_at: str
    peak_memory: int
    compiled: int
    compile_seconds: float
    provenance: Provenance

    @property
    def measured(self) -> list[Measured]:
        """The values that the page measured, in its order."""
        return measured_in(self.notebook)


def measured_in(notebook: NotebookNode) -> list[Measured]:
    """Return the values that the cells of an executed notebook measured, in their order."""
    return [value for cell in notebook.cells for value in measured_by(cell)]


def measured_by(cell: NotebookNode) -> list[Measured]:
    """Return the values that one executed cell measured."""
    found = [out.data[MIME] for out in cell.get("outputs", ()) if MIME in out.get("data", {})]
    return [_as_numbers(Measured(**value)) for values in found for value in values]


def _as_numbers(value: Measured) -> Measured:
    # On its way here it was JSON, where a value that is not finite may be a word.
    return replace(value, values=[float(each) for each in value.values])


class PageStore:
    """Executed notebooks under `<page name>/<key>.ipynb`; only the parent process writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, root: Path) -> PageStore:
        """Return the store that the environment names, else the one in the checkout."""
        named = os.environ.get(ENVIRONMENT_VARIABLE)
        return cls(Path(named).resolve() if named else root / ".page-cache")

    def lock(self) -> BaseFileLock:
        """Return the lock on executing; the system drops it when its holder is killed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "lock")

    def load(self, docname: str, key: str) -> Execution | None:
        """Return the stored run, or None where there is none that can be read whole."""
        return _read(self._page(docname) / f"{key}.ipynb")

    def last(self, docname: str) -> Execution | None:
        """Return the page's newest run under any key."""
        runs = (_read(path) for path in self._newest_first(docname))
        return next((run for run in runs if run), None)

    def save(self, docname: str, key: str, run: Execution) -> None:
        """Store a run, and drop the page's oldest ones beyond a fixed number."""
        folder = self._page(docname)
        folder.mkdir(parents=True, exist_ok=True)
        facts = {field.name: getattr(run, field.name) for field in fields(run)[1:]}
        facts["provenance"] = asdict(run.provenance)
        run.notebook.metadata[_METADATA] = facts
        write_whole(folder / f"{key}.ipynb", nbformat.writes(run.notebook).encode())
        for path in self._newest_first(docname)[KEPT_PER_PAGE:]:
            path.unlink(missing_ok=True)
        for leftover in folder.glob("*.part"):  # of a parent that was killed while writing
            leftover.unlink(missing_ok=True)

    def _page(self, docname: str) -> Path:
        return self.folder / docname.replace("/", ".")

    def _newest_first(self, docname: str) -> list[Path]:
        files = list(self._page(docname).glob("*.ipynb"))
        return sorted(files, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _read(path: Path) -> Execution | None:
    try:
        notebook = nbformat.v4.reads(path.read_text(encoding="utf8"))
        nbformat.validate(notebook)
        facts = dict(notebook.metadata.pop(_METADATA))
        facts["provenance"] = Provenance(**facts["provenance"])
        return Execution(notebook, **facts)
    except Exception:
        # Absent, cut short or otherwise damaged: in each case the page just runs again.
        return None
