"""What takes long to make, kept in the page store by the hash of what it is made from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from whole_file import write_whole

MOST = 100  # files of a kind; all pages need a few dozen


def kept(folder: Path, made_from: object, make: Callable[[], Any]) -> Any:
    """Return what `make` gives, something that JSON can hold, or what it gave for the same.

    `made_from` has to name all that the result depends on, versions and code included. What is
    returned has been through JSON, which knows lists and no tuples.
    """
    name = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    file = folder / f"{name}.json"
    with suppress(OSError, ValueError):  # absent, or damaged: then it is made again
        found = json.loads(file.read_text(encoding="utf8"))
        with suppress(OSError):  # a store that can only be read serves as well
            os.utime(file)
        return found
    text = json.dumps(make())
    with suppress(OSError):  # where nothing can be written, nothing is kept
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(file, text.encode())
        _drop_oldest(folder)
    return json.loads(text)  # as it will be found


def _drop_oldest(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[MOST:]:
        path.unlink(missing_ok=True)
