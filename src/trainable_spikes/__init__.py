"""Train spiking networks built with brainpy.state: the code the pages share, as ``ts``."""

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
from trainable_spikes.plotting import plot_scores
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

__version__ = "0.1.0"

__all__ = [
    "Dataset", "DetachedLIF", "Evaluation", "FilteredReadout", "History", "MembraneReadout",
    "Recording", "SpikingClassifier", "SpikingReadout", "Trainer", "cross_entropy", "fashion_mnist",
    "fashion_mnist_sample", "fluctuation_driven", "last_step", "latency_spikes", "max_over_time",
    "mean_over_time", "membrane_statistics", "mnist", "plot_scores", "poisson_spikes", "randman",
    "random_labels", "rate_patterns", "record", "rollout", "squared_error", "sum_over_time",
    "temporary_memory", "time_first", "truncated_rollout",
]  # fmt: skip
