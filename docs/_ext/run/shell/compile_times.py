"""Tell the build how long a page has compiled.

A kernel that runs a page loads this as an extension. It only listens to what JAX says of itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

FILE_VARIABLE = "TRAINABLE_SPIKES_COMPILE_TIMES"
# Tracing is left out: JAX says how long each function took, those that it calls included.
_PHASES = tuple(
    f"/jax/core/compile/{name}_duration" for name in ("jaxpr_to_mlir_module", "backend_compile")
)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Write the seconds so far, after each cell, into the file that the build names."""
    if FILE_VARIABLE not in os.environ:
        return
    import jax  # before the page does, so that nothing is compiled unheard

    file, durations = Path(os.environ[FILE_VARIABLE]), []

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event in _PHASES:
            durations.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(listen)
    shell.events.register("post_run_cell", lambda *_: file.write_text(str(sum(durations))))


def seconds_in(file: Path) -> float:
    """Return what a page has written; 0 where it ended before its first cell did."""
    return float(file.read_text()) if file.exists() else 0.0
