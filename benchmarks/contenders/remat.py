"""This package's trainer with ``memory="remat"``: it stores less and computes some of it twice."""

from __future__ import annotations

import ours
from trainer_session import TrainerSession
from workloads import Workload

DIFFERENCE = "It shuffles the samples of its batches anew in each pass."
LIBRARIES = ours.LIBRARIES
GRANULE = True


def build(workload: Workload) -> TrainerSession:
    """Make the session, see :mod:`worker`."""
    return TrainerSession(workload, memory="remat")
