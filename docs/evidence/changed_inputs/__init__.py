"""Changes under which claims must fail, to show that they can.

Each is a function that `nox -s falsify` calls in a page's process before the first cell. Its
docstring completes "fails when". `@on` names the pages that it is for; where a measured name
stands beside a page, cells after that name do not run.
"""

from changed_inputs import (  # noqa: F401  # each registers its changes
    balance,
    images,
    neurons,
    readouts,
    rollouts,
    speed,
    states,
    surrogates,
    synapses,
    timing,
    training,
)
from changed_inputs.registry import CHANGES, Change

__all__ = ["CHANGES", "Change"]
