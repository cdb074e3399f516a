"""Files that are written whole or not at all, and results that are kept in such files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST = 100  # files in a folder of results; all pages need a few dozen


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that no kill leaves a part of it, and no reader meets one.

    Replacing is atomic, and `fsync` comes first: after a power cut, too, there is the old file or
    the new one. A kill may leave a file behind whose name ends in `.part`.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def remembered(folder: Path, made_from: object, make: Callable[[], Any]) -> Any:
    """Return the result of `make`, or the one that `folder` has for the same `made_from`.

    `made_from` has to name all that the result depends on, versions and code included. The result
    is something that JSON can hold, and comes back as JSON gives it, with lists for tuples.
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
    return json.loads(text)


def _drop_oldest(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[MOST:]:
        path.unlink(missing_ok=True)
