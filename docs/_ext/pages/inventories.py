"""What other projects document, and where: read from their own sites, kept in docs/_inventories.

A build needs no network, so it reads these files. `nox -s inventories` writes them anew.
"""

from __future__ import annotations

import sys
import urllib.request
import zlib
from collections.abc import Mapping
from pathlib import Path

# The address of each project's documentation. Its inventory is NAME.inv, there `objects.inv`.
SITES = {
    "brainpy-state": "https://brainx.chaobrain.com/brainpy-state/",
    "brainstate": "https://brainx.chaobrain.com/brainstate/",
    "braintools": "https://brainx.chaobrain.com/braintools/",
    "brainunit": "https://brainx.chaobrain.com/brainunit/",
    "jax": "https://docs.jax.dev/en/latest/",
    "matplotlib": "https://matplotlib.org/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "python": "https://docs.python.org/3.11/",
}
FOLDER = Path(__file__).parents[2] / "_inventories"
_HEAD = b"# Sphinx inventory version 2\n"
_SECONDS = 60


def mapping() -> dict[str, tuple[str, str]]:
    """Return the sites whose file is here as `intersphinx_mapping` wants them."""
    return {
        name: (address, f"{FOLDER.name}/{name}.inv")
        for name, address in SITES.items()
        if (FOLDER / f"{name}.inv").exists()
    }


def refresh(sites: Mapping[str, str], folder: Path) -> list[str]:
    """Write the inventory of each site into `folder`; return what went wrong, a line a site.

    A site that does not answer, or not with an inventory, leaves its file as it is.
    """
    problems = []
    for name, address in sites.items():
        url = f"{address}objects.inv"
        try:
            with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
                kept = only_python(answer.read())
        except (OSError, ValueError) as error:
            problems.append(f"{name}: expected an inventory at {url}, got {error!r}")
        else:
            (folder / f"{name}.inv").write_bytes(kept)
    return problems


def only_python(inventory: bytes) -> bytes:
    """Return an inventory of version 2 with its Python names alone: no labels, pages or C."""
    head, lines = entries(inventory)
    kept = [line for line in lines if line.split(" ")[-4].startswith("py:")]
    if not kept:
        raise ValueError("no Python name is in it")
    return head + zlib.compress("".join(f"{line}\n" for line in sorted(kept)).encode(), 9)


def entries(inventory: bytes) -> tuple[bytes, list[str]]:
    """Return the four lines that an inventory begins with, and its entries, a line each."""
    head = b"".join(inventory.splitlines(keepends=True)[:4])
    if not inventory.startswith(_HEAD):
        raise ValueError(f"it begins with {inventory[:40]!r} and not with {_HEAD!r}")
    try:
        text = zlib.decompress(inventory[len(head) :]).decode()
    except zlib.error as error:
        raise ValueError(f"it is damaged: {error}") from error
    return head, [line for line in text.splitlines() if line.strip()]


def main(names: list[str]) -> None:
    """Refresh the inventories of those names, or all."""
    if unknown := sorted(set(names) - set(SITES)):
        sys.exit(f"expected names among {', '.join(SITES)}; got {', '.join(unknown)}")
    if failed := refresh({name: SITES[name] for name in names or SITES}, FOLDER):
        sys.exit("\n".join([*failed, "This needs the network. The files are as they were."]))


if __name__ == "__main__":
    main(sys.argv[1:])
