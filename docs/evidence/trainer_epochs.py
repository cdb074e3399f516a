"""Time an epoch of this package's trainer beside one of braintools' trainer.

Same network, data, batches and optimizer; epochs in turns, so that a busy moment hits all alike.
`nox -s evidence -- trainer_epochs` runs it.
"""

from __future__ import annotations

import time
from typing import Any

import brainstate
import braintools
import brainunit as u
import numpy as np
from braintools.trainer import ArrayDataset, DataLoader, LightningModule, Trainer

import trainable_spikes as ts
from evidence.recorded import record
from run.shell.measuring import measured

N_SAMPLES, BATCH_SIZE, N_STEPS, TURNS = 1280, 64, 100, 40


class Module(LightningModule):
    """The network as braintools' trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.network = build()

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, Any]:
        inputs, labels = batch
        brainstate.nn.reset_all_states(self.network, batch_size=BATCH_SIZE)
        outputs = ts.rollout(self.network, ts.time_first(inputs))
        return {"loss": ts.cross_entropy(outputs.mean(axis=0), labels).mean()}

    def configure_optimizers(self) -> Any:
        return braintools.optim.Adam(lr=1e-3)


def build() -> ts.SpikingClassifier:
    brainstate.random.seed(0)
    network = ts.SpikingClassifier(100, 20, 2)
    brainstate.nn.init_all_states(network, batch_size=BATCH_SIZE)
    return network


def stack(samples: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Make a batch; what the loader does by default leaves labels a tuple of numbers."""
    inputs, labels = zip(*samples, strict=True)
    return np.stack(inputs), np.asarray(labels)


class Turns(braintools.trainer.Callback):
    """Time every epoch of their trainer, and one of ours right after it."""

    def __init__(self, data: ts.Dataset) -> None:
        self.data = data
        self.trainer = ts.Trainer(build(), braintools.optim.Adam(lr=1e-3))
        self.theirs: list[float] = []
        self.ours: list[float] = []

    def on_train_epoch_start(self, *_: Any, **__: Any) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, *_: Any, **__: Any) -> None:
        between = time.perf_counter()
        self.trainer.fit(self.data, epochs=1, batch_size=BATCH_SIZE)
        self.theirs.append(between - self.started)
        self.ours.append(time.perf_counter() - between)


def ratio(data: ts.Dataset, batches: Any) -> float:
    """How much longer their epochs take, medians of all but the two that compile."""
    turns = Turns(data)
    trainer = Trainer(
        max_epochs=TURNS + 2,
        callbacks=[turns],
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
    )
    trainer.fit(Module(), batches)
    assert len(turns.theirs) == TURNS + 2, "expected a turn for every epoch"
    theirs, ours = np.median(turns.theirs[2:]), np.median(turns.ours[2:])
    print(f"theirs {theirs:.4f} s, ours {ours:.4f} s", flush=True)
    return float(theirs / ours)


def main() -> None:
    with brainstate.environ.context(dt=1.0 * u.ms):
        data = ts.random_labels(N_SAMPLES, N_STEPS, 100)
        starts = range(0, N_SAMPLES, BATCH_SIZE)
        ready = [
            (data.inputs[i : i + BATCH_SIZE], data.targets[i : i + BATCH_SIZE]) for i in starts
        ]
        arrays = ArrayDataset(np.asarray(data.inputs), np.asarray(data.targets))
        loader = DataLoader(arrays, batch_size=BATCH_SIZE, shuffle=True, collate_fn=stack)
        values = [
            *measured(
                "trainer-ratio", {"batches": ratio(data, ready), "loader": ratio(data, loader)}
            )
        ]
    print(record(__file__, "reference/api", values))


if __name__ == "__main__":
    main()
