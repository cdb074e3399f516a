"""Compiled programs, kept from page to page and from build to build.

XLA compiles the same programs again in every process; JAX can keep them in a folder. But it
writes its files in place: another process reads half a file and warns, and a file that a kill
cut short stays so. Therefore each page gets a folder of its own, filled from the store. When it has
ended well, the store takes over its new files, each whole and under a name that has its hash.

JAX asks for a program by all that it is made of: its operations, shapes and constants, the
compiler's version and options. A kept program is the one that would be compiled again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
from contextlib import suppress
from pathlib import Path

from run.disk import write_whole

MOST_BYTES = 256 * 2**20  # all pages of one stack need some 15 MiB, one version of each
_KEPT = "-cache"  # how JAX ends the names of its files
_HASHED = 16
_FOLDER = "jax_compilation_cache_dir"
_OPTIONS: dict[str, float | int | str] = {
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
    # These are for GPUs, and on jax 0.10 the folder's name would become part of every key.
    "jax_persistent_cache_enable_xla_caches": "none",
}


def programs_folder(store: Path, n_cores: int) -> Path:
    """Return the folder in the page store for programs of pages that have so many cores.

    XLA compiles for the processor and its number of cores; another one may not be able to
    run what it finds.
    """
    parts = [
        platform.platform(),
        platform.python_version(),
        *(importlib.metadata.version(name) for name in ("jax", "jaxlib")),
        *processor(),
        f"{n_cores} cores",
    ]
    return store / "programs" / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def processor(description: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return what tells this processor from others; where no file does, the machine's name."""
    if not description.exists():
        return [platform.machine(), platform.processor(), platform.node()]
    first = description.read_text().split("\n\n")[0]
    facts = re.findall(r"^(?:vendor_id|model name|CPU \w+|flags|Features)\s*:.*", first, re.M)
    return [platform.machine(), *facts]


def lend(kept: Path, own: Path) -> dict[str, str]:
    """Fill a page's own folder with the kept programs; return the variables that name it."""
    own.mkdir(parents=True)
    for path in list(kept.glob(f"*{_KEPT}")):
        with suppress(FileNotFoundError):  # another build may have dropped it just now
            _lend_one(path, own)
    return {name.upper(): str(value) for name, value in (_OPTIONS | {_FOLDER: str(own)}).items()}


def _lend_one(path: Path, own: Path) -> None:
    digest, _, name = path.name.partition("-")
    if _digest(path.read_bytes()) != digest:
        path.unlink(missing_ok=True)  # a page that JAX warns would fail
        return
    if (own / name).exists():
        return  # kept twice, by two builds at once; writing now would change what is kept
    try:
        os.link(path, own / name)
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, own / name)


def take_back(own: Path, kept: Path) -> int:
    """Store the programs that a page has compiled itself, and return how many those are."""
    kept.mkdir(parents=True, exist_ok=True)
    lent = {path.name.partition("-")[2] for path in kept.glob(f"*{_KEPT}")}
    new = [path for path in own.glob(f"*{_KEPT}") if path.name not in lent]
    for path in new:
        whole = path.read_bytes()
        write_whole(kept / f"{_digest(whole)}-{path.name}", whole)
    _drop_oldest(kept)
    return len(new)


def _drop_oldest(kept: Path) -> None:
    entries = []
    for path in kept.iterdir():
        with suppress(FileNotFoundError):
            entries.append((path.stat().st_mtime_ns, path.stat().st_size, path))
    room = MOST_BYTES
    for _, size, path in sorted(entries, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)


def _digest(whole: bytes) -> str:
    return hashlib.sha256(whole).hexdigest()[:_HASHED]
