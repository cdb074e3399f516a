"""Describe where results come from: versions, device and commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTIONS = ("jax", "brainpy", "brainstate", "braintools", "brainunit")


@dataclass(frozen=True)
class Provenance:
    """`commit` is empty outside a repository; `changed` says that files differed from it."""

    python: str
    platform: str
    device: str
    versions: dict[str, str]
    commit: str
    changed: bool


def provenance(root: Path) -> Provenance:
    """Describe this interpreter, this machine and the checkout at `root`, as they are now."""
    commit, changed = _commit(root)
    return Provenance(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        device=_device(),
        versions={name: importlib.metadata.version(name) for name in DISTRIBUTIONS},
        commit=commit,
        changed=changed,
    )


def _device() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    name = found[1] if found else platform.processor() or platform.machine()
    cores = os.cpu_count() or 1
    return f"{' '.join(name.split())}, {cores} core{'s' * (cores > 1)}"


def _commit(root: Path) -> tuple[str, bool]:
    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):  # an archive without its history
        return os.environ.get("READTHEDOCS_GIT_COMMIT_HASH", ""), False
