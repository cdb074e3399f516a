"""Train spiking networks built with brainpy.state: the code the pages share, as ``ts``."""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING

from trainable_spikes.data import (
    Dataset,
    fashion_mnist,
    fashion_mnist_sample,
    mnist,
    randman,
    random_labels,
    rate_patterns,
)
from trainable_spikes.encoding import latency_spikes, poisson_spikes, time_first
from trainable_spikes.initializing import fluctuation_driven, membrane_statistics
from trainable_spikes.models import SpikingClassifier
from trainable_spikes.neurons import DetachedLIF
from trainable_spikes.readouts import (
    FilteredReadout,
    MembraneReadout,
    SpikingReadout,
    last_step,
    max_over_time,
    mean_over_time,
    sum_over_time,
)
from trainable_spikes.rollout import Recording, record, rollout, temporary_memory, truncated_rollout
from trainable_spikes.training import Evaluation, History, Trainer, cross_entropy, squared_error

if TYPE_CHECKING:
    from trainable_spikes.plotting import plot_scores

    __version__: str

__all__ = [
    "Dataset",
    "DetachedLIF",
    "Evaluation",
    "FilteredReadout",
    "History",
    "MembraneReadout",
    "Recording",
    "SpikingClassifier",
    "SpikingReadout",
    "Trainer",
    "cross_entropy",
    "fashion_mnist",
    "fashion_mnist_sample",
    "fluctuation_driven",
    "last_step",
    "latency_spikes",
    "max_over_time",
    "mean_over_time",
    "membrane_statistics",
    "mnist",
    "plot_scores",
    "poisson_spikes",
    "randman",
    "random_labels",
    "rate_patterns",
    "record",
    "rollout",
    "squared_error",
    "sum_over_time",
    "temporary_memory",
    "time_first",
    "truncated_rollout",
]


if not TYPE_CHECKING:  # type checkers know the names above, and complain about others

    def __getattr__(name: str) -> object:
        """Look up what takes long to import, or needs an installed package, when asked for it."""
        if name in ("plotting", "plot_scores"):
            plotting = importlib.import_module("trainable_spikes.plotting")
            return plotting if name == "plotting" else plotting.plot_scores
        if name == "__version__":
            return importlib.metadata.version("trainable-spikes")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
