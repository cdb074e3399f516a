"""One contender on one workload, in a process of its own, told what to do over standard input.

``python benchmarks/worker.py CONTENDER WORKLOAD [IMAGES]`` runs it; ``compare.py`` starts many and
lets one at a time work. `WORKLOAD` is a name or a JSON object, see
:func:`workloads.sizes`; `IMAGES` is the folder that workload F is made from.

A contender is a module ``benchmarks/contenders/NAME.py`` with

``DIFFERENCE : str``
    What differs from the reference's arithmetic; empty if nothing does. Shown beside its times.
``LIBRARIES : tuple[str, ...]``
    Distributions whose versions the record names.
``GRANULE : bool``, optional
    True if it can only take whole passes over the batches, such as a compiled epoch.
``build(workload) -> Session``
    Make the network with ``workload.weights`` and convert ``workload.batches`` to what it wants.
    This is outside the clock, and the conversion's seconds are ``prepare_seconds``.

and a session is any object with

``prepare_seconds : float``
    What converting the batches took.
``run(steps) -> float``
    Take `steps` training steps (forward, backward, Adam), going round the batches, and return
    the last loss (or the pass's mean). It returns when everything is computed: the clock runs.
``load(batches, labels) -> None``
    Replace the batches by as many others of the same shapes, outside the clock.
``scores(spikes) -> numpy.ndarray``
    Scores ``[B, n_out]`` of one batch of spikes ``[T, B, n_in]``, uint8, with the weights of now.
``first() -> tuple[float, float]``
    Loss and gradient norm (over all four weights together) of the first batch, changing nothing.
``rate() -> float``
    Spikes a second of a hidden neuron on the first batch, with the weights of now.

The conversation is one JSON object a line. The worker first says ``ready``, then answers each
request: ``{"do": "block", "steps": k}``, ``"build"`` (another workload, in place of the last),
``"load"`` (of workload F: batches from `start` on), ``"evaluate"``, ``"rate"``, ``"check"``,
``"limits"`` and ``"end"``. While it waits it sleeps.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import workloads


def main() -> None:
    """Answer requests until one says end."""
    name, given, *images = sys.argv[1:]
    given = json.loads(given) if given.startswith("{") else given
    # What libraries print goes elsewhere: standard output is the conversation.
    replies, sys.stdout = sys.stdout, sys.stderr
    worker = Worker(name, given, Path(images[0]) if images else None)
    print(json.dumps(worker.ready), file=replies, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = getattr(worker, request.pop("do"))(**request)
        except Exception:
            reply = {"error": traceback.format_exc(limit=-3)}
        print(json.dumps(reply), file=replies, flush=True)
        if "end" in reply:
            return


class Worker:
    """One contender and its session; each public method answers one kind of request."""

    def __init__(self, name: str, given: str | dict[str, Any], images: Path | None) -> None:
        self.name, self.images = name, images
        started = time.perf_counter()
        self.contender = importlib.import_module(f"contenders.{name}")
        import_seconds = time.perf_counter() - started
        self.ready = {
            "ready": name,
            "import_seconds": import_seconds,
            "import_mib": memory()["now_mib"],
            "difference": self.contender.DIFFERENCE,
            "versions": {
                library: importlib.metadata.version(library) for library in self.contender.LIBRARIES
            },
            "python": sys.version.split()[0],
            **self.build(given),
        }

    def build(self, given: str | dict[str, Any]) -> dict[str, Any]:
        """Make a session and, unless it is to stay untrained, take the steps that compile."""
        self.session = None  # before the next one is there: two may not fit
        gc.collect()
        given = dict(given) if isinstance(given, dict) else {"name": given}
        untrained = given.pop("untrained", False)
        self.workload = workloads.workload(given, self.images)
        self.size = workloads.sizes(given)
        started = time.perf_counter()
        self.session = self.contender.build(self.workload)
        build_seconds = time.perf_counter() - started - self.session.prepare_seconds
        granule = len(self.workload.batches) if getattr(self.contender, "GRANULE", False) else 1
        first = {} if untrained else self.block(granule)
        return {
            "digest": workloads.digest(self.workload),
            "build_seconds": build_seconds,
            "prepare_seconds": self.session.prepare_seconds,
            "granule": granule,
            "first_seconds": first.get("seconds"),
            "density": self.workload.density,
        }

    def block(self, steps: int) -> dict[str, Any]:
        """Take steps; tell how long they took by the clock, and of the processor."""
        started, used = time.perf_counter(), time.process_time()
        loss = self.session.run(steps)
        return {
            "seconds": time.perf_counter() - started,
            "core_seconds": time.process_time() - used,
            "loss": loss,
        }

    def load(self, start: int) -> dict[str, Any]:
        """Go on with other training batches of workload F."""
        found = workloads.image_batches(self.images, self.size, start, len(self.workload.batches))
        self.session.load(*zip(*found, strict=True))
        return {"prepare_seconds": self.session.prepare_seconds}

    def evaluate(self) -> dict[str, Any]:
        """Accuracy on held-out images of workload F."""
        right = 0
        for spikes, labels in workloads.validation_batches(self.images, self.size):
            right += int((self.session.scores(spikes).argmax(axis=1) == labels).sum())
        return {"accuracy": right / workloads.N_VALIDATION}

    def rate(self) -> dict[str, Any]:
        """Hidden activity with the weights of now."""
        return {"rate_hz": self.session.rate()}

    def check(self) -> dict[str, Any]:
        """Loss, gradient norm and activity of a session that has not trained."""
        self.session = None
        gc.collect()
        self.session = self.contender.build(self.workload)
        loss, gradient_norm = self.session.first()
        return {"loss": loss, "gradient_norm": gradient_norm, "rate_hz": self.session.rate()}

    def limits(self) -> dict[str, Any]:
        """What the machine can do at the workload's shapes."""
        return self.contender.limits(self.workload)

    def memory(self) -> dict[str, Any]:
        """Memory of the process."""
        return memory()

    def end(self) -> dict[str, Any]:
        """Stop."""
        return {"end": self.name, **memory()}


def memory() -> dict[str, float]:
    """Resident memory of this process, its peak and now, in MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return {"peak_mib": float("nan"), "now_mib": float("nan")}
    found = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return {
        name: float(found[key].split()[0]) / 1024
        for name, key in (("peak_mib", "VmHWM"), ("now_mib", "VmRSS"))
    }


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
    os._exit(0)  # some libraries take seconds to take themselves down
