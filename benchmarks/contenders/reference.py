"""The loop that the documentation of brainpy.state shows, written by hand and compiled."""

from __future__ import annotations

import brainstate
import jax
from brainstate.transform import for_loop

import ours
from session import Session
from workloads import Workload

DIFFERENCE = ""
LIBRARIES = ours.LIBRARIES


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = ours.network(workload)

    def scores(spikes: jax.Array) -> jax.Array:
        brainstate.nn.reset_all_states(network, batch_size=spikes.shape[1])
        return for_loop(network.update, spikes).mean(axis=0)

    return ours.session(workload, network, scores)
