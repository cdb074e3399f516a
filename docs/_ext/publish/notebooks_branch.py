"""Lay out what Colab and Binder open: a build's empty notebooks, and what these install.

    python docs/_ext/publish/notebooks_branch.py DOWNLOADS FOLDER

Only the standard library is needed: the site has been built elsewhere, with the same Python.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

INSTALL = "%pip install --quiet "


def lay_out(downloads: Path, branch: Path) -> None:
    """Copy the notebooks without outputs, and write for Binder what their first cell installs."""
    every = downloads.rglob("*.ipynb")
    found = sorted(path for path in every if not path.stem.endswith("-executed"))
    lines = {line for path in found for line in install_lines(path)}
    if len(lines) != 1 or "https://" not in min(lines):
        raise SystemExit(
            f"expected notebooks in {downloads} that all install the package from the site, got "
            f"{sorted(lines) or 'none'}: build the site with SITE_ADDRESS set"
        )
    for path in found:
        target = branch / path.relative_to(downloads)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    wanted = lines.pop().removeprefix(INSTALL).split()
    (branch / "requirements.txt").write_text("".join(f"{each}\n" for each in wanted))
    version = ".".join(map(str, sys.version_info[:2]))
    (branch / "runtime.txt").write_text(f"python-{version}\n")


def install_lines(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf8"))["cells"]
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    return [line for line in lines if line.startswith(INSTALL)]


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]), Path(sys.argv[2]))
