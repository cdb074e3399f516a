"""A project of two small pages, with the real conf.py and engine, for tests to change and build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIXTURE = ROOT / "tests" / "engine" / "fixture_site"
# As `python -m sphinx`, but never deaf to Ctrl-C: a shell starts its background jobs so, and
# all their children inherit it.
SPHINX = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from sphinx.cmd.build import main; sys.exit(main(sys.argv[1:]))"
)
FOLDERS = ("docs/_ext", "docs/_inventories", "docs/_static", "docs/_templates")
COPIED = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "docs/conf.py",
    "docs/references.bib",
    "docs/reference/measured.md",
    "docs/reference/bibliography.md",
)
STRICT = [sys.executable, "-c", SPHINX, "-n", "-W", "--keep-going", "-b", "html"]


class FixtureSite:
    """A two-page project in a folder of its own, with the real conf.py and extensions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def create(cls, root: Path) -> FixtureSite:
        shutil.copytree(FIXTURE, root)
        ignore = shutil.ignore_patterns("__pycache__")
        for name in (*FOLDERS, "requirements"):
            shutil.copytree(ROOT / name, root / name, ignore=ignore)
        (root / "docs" / "reference").mkdir()
        for name in COPIED:
            shutil.copy(ROOT / name, root / name)
        return cls(root)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r} to edit"
        file.write_text(text.replace(old, new))

    def start(self, out: str = "html", **host: str) -> subprocess.Popen[str]:
        """Start a strict build, with what a `host` says; the site lands in docs/_build/`out`."""
        folder = self.root / "docs" / "_build" / out
        environment = {**os.environ, **host}
        environment.pop("TRAINABLE_SPIKES_PAGE_STORE", None)  # its own store, in its own root
        return subprocess.Popen(
            [*STRICT, "-d", f"{folder}.doctrees", "docs", str(folder)],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def build(self, **host: str) -> tuple[int, str]:
        """Build the site; return the exit status and everything that was printed."""
        (self.root / "ran.txt").unlink(missing_ok=True)
        process = self.start(**host)
        output, _ = process.communicate(timeout=300)
        return process.returncode, output

    def build_well(self) -> list[str]:
        """Build the site, which must pass; return the pages that executed, sorted."""
        status, output = self.build()
        assert status == 0, output
        return self.executed()

    def executed(self) -> list[str]:
        ran = self.root / "ran.txt"
        return sorted(ran.read_text().split()) if ran.exists() else []

    def html(self, docname: str, out: str = "html") -> str:
        return (self.root / "docs" / "_build" / out / f"{docname}.html").read_text()
