"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that no kill leaves a part of it, and no reader meets one.

    Replacing is atomic, and `fsync` comes first: after a power cut, too, there is the old file or
    the new one. What a kill does leave has a name that ends in `.part`.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
