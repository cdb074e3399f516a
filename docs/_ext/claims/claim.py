"""What is kept of a claim, for the page that makes it and for the site that shows it.

The bytes of this file are part of every page's key. Nothing heavy is imported: the build reads
claims without the libraries that pages run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MIME = "application/vnd.trainable-spikes.claim+json"
TAG = "claim"
PAGE_VARIABLE = "TRAINABLE_SPIKES_PAGE"
ALONE_VARIABLE = "TRAINABLE_SPIKES_PAGE_ALONE"
# Set while margins are measured: a claim outside its bound is then recorded, not raised.
RECORD_VARIABLE = "TRAINABLE_SPIKES_RECORD_CLAIMS"


@dataclass(frozen=True)
class Claim:
    """One measured statement of a page; numbers are in `unit`, which is empty for plain numbers.

    `value` is the mean where there are several seeds, `spread` their standard deviation
    (n - 1). `room` is the distance from the value to the closest bound, negative outside, and
    None where the value is held against nothing.
    """

    name: str
    statement: str
    text: str
    value: float
    spread: float | None
    values: list[float]
    seeds: list[int]
    unit: str
    bound: str
    room: float | None
    machine: bool = False
    reported: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the value is finite and within its bounds, if it has any."""
        return math.isfinite(self.value) and (self.room is None or self.room >= 0)

    @property
    def summary(self) -> str:
        """A line for the page's folded cell: value, bound, seeds."""
        line = f"{self.name} = {self.text}"
        if self.bound:
            line += f", {self.bound}"
        if self.seeds:
            line += f"; {len(self.seeds)} seed" + "s" * (len(self.seeds) > 1)
        return line
