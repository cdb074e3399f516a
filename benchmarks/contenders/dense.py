"""This package's fast path on dense spikes: one product with the input weights a step."""

from __future__ import annotations

import ours
from session import Session
from trainable_spikes.events import EventClassifier
from workloads import Workload

DIFFERENCE = (
    "The mean over time of the filtered readout is computed as one weighted sum of the spikes, "
    "which rounds differently."
)
LIBRARIES = ours.LIBRARIES


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = ours.network(workload)
    fast = EventClassifier(network, workload.n_steps)
    return ours.session(workload, network, fast.update)
