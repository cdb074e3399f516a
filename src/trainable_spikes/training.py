"""Train a network: a compiled epoch, evaluation, and the history of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np

from trainable_spikes._checks import positive_integer, time_step
from trainable_spikes.data import Dataset
from trainable_spikes.encoding import Encoder, time_first
from trainable_spikes.readouts import mean_over_time
from trainable_spikes.rollout import Memory, rollout

Loss: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]


def cross_entropy(scores: jax.Array, labels: jax.Array) -> jax.Array:
    r"""Compute the softmax cross-entropy of every sample.

    For scores :math:`s` and the label :math:`y` it is :math:`-\log(e^{s_y} / \sum_k e^{s_k})`.

    Parameters
    ----------
    scores : jax.Array, shape ``[B, n_classes]``
        Score of each class.
    labels : jax.Array, shape ``[B]``
        Integers from 0 to ``n_classes - 1``.

    Returns
    -------
    jax.Array, shape ``[B]``
        Loss of each sample.

    Raises
    ------
    TypeError
        Labels are not integers.
    """
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise TypeError(
            f"expected integer labels, got {labels.dtype}: convert them with "
            "`labels.astype(int)`, or train on values with `loss=squared_error`"
        )
    return braintools.metric.softmax_cross_entropy_with_integer_labels(scores, labels)


def squared_error(scores: jax.Array, targets: jax.Array) -> jax.Array:
    """Compute the squared error of every sample, averaged over outputs.

    Parameters
    ----------
    scores : jax.Array, shape ``[B, n_out]``
        Outputs of the network.
    targets : jax.Array, shape ``[B, n_out]``
        Values that the outputs should take.

    Returns
    -------
    jax.Array, shape ``[B]``
        Loss of each sample.

    Raises
    ------
    ValueError
        The shapes differ: broadcasting would compare each sample with every target.
    """
    if scores.shape != targets.shape:
        raise ValueError(
            f"expected targets of the scores' shape {scores.shape}, got {targets.shape}: one "
            "value an output and sample, [N, n_out] in the data set"
        )
    return jnp.mean((scores - targets) ** 2, axis=-1)


@dataclass(frozen=True)
class Evaluation:
    """Hold how well a network does on a data set.

    Attributes
    ----------
    loss : float
        Mean loss of the samples.
    accuracy : float
        Share of samples whose largest score is at their label; nan for regression.
    scores : numpy.ndarray, shape ``[N, n_out]``
        Scores of the samples, in the order of the data set.
    """

    loss: float
    accuracy: float
    scores: np.ndarray


@dataclass
class History:
    """Hold the results of every epoch, with one entry per epoch in each list.

    Attributes
    ----------
    loss : list of float
        Training loss, averaged over the epoch while weights change.
    accuracy : list of float
        Training accuracy, averaged in the same way; nan for regression.
    validation_loss : list of float
        Loss on the validation data after the epoch; empty without such data.
    validation_accuracy : list of float
        Accuracy on the validation data after the epoch; empty without such data.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)


class Trainer:
    """Train one network; every epoch is one call of a compiled function.

    The data set is an argument of that function, so other data of the same shape, or other
    weights through :meth:`restart`, do not compile it again. An incomplete last batch is padded
    with samples of weight zero: no sample is dropped or counted twice. Where no batch is padded,
    losses equal those of a loop written by hand, bit for bit.

    Parameters
    ----------
    network : brainstate.nn.Module
        Network whose ``update`` maps one time step of input to outputs ``[B, n_out]``.
    optimizer : braintools.optim.OptaxOptimizer
        A fresh optimizer; the trainable weights are registered with it here.
    encode : callable, default :func:`~trainable_spikes.time_first`
        ``encode(batch, key)`` gives the input over time, ``[T, B, n_in]``.
    reduce : callable, default :func:`~trainable_spikes.mean_over_time`
        Function from outputs over time ``[T, B, n_out]`` to scores ``[B, n_out]``.
    loss : callable, default :func:`cross_entropy`
        Function from scores and targets to the loss of every sample, ``[B]``.
    memory : {"plain", "remat", "checkpointed"}, default "plain"
        What :func:`~trainable_spikes.rollout` stores for the backward pass.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        The time step is not a time.
    ValueError
        The time step is not above zero.

    Notes
    -----
    The time step is read once, here, and held: a compiled function would otherwise keep the
    ``dt`` it was traced with, whatever the environment says. For the same reason, changing an
    attribute after the first call has no effect: build another trainer. Layers that act only in
    training, such as dropout, see ``fit`` in the environment.

    ``braintools.trainer.Trainer`` offers checkpoints, loggers and sharding. It calls Python for
    every batch, and small networks wait for that: ``docs/evidence/trainer_epochs.py`` measures
    both, and the API reference shows the result.

    Examples
    --------
    >>> import brainstate, braintools, brainunit as u
    >>> import trainable_spikes as ts
    >>> brainstate.random.seed(0)
    >>> with brainstate.environ.context(dt=1. * u.ms):
    ...     data = ts.random_labels(n_samples=64, n_steps=50)
    ...     network = ts.SpikingClassifier(100, 4, 2)
    ...     trainer = ts.Trainer(network, braintools.optim.Adam(lr=3e-3))
    >>> round(trainer.fit(data, epochs=3).loss[0], 4)  # a silent network starts at ln 2
    0.6931
    """

    def __init__(
        self,
        network: brainstate.nn.Module,
        optimizer: braintools.optim.OptaxOptimizer,
        *,
        encode: Encoder = time_first,
        reduce: Callable[[jax.Array], jax.Array] = mean_over_time,
        loss: Loss = cross_entropy,
        memory: Memory = "plain",
    ) -> None:
        self.dt = time_step()
        self.network, self.optimizer, self.memory = network, optimizer, memory
        self.encode, self.reduce, self.loss = encode, reduce, loss
        self.weights = network.states(brainstate.ParamState)
        optimizer.register_trainable_weights(self.weights)
        self._fresh_optimizer = optimizer.state_dict()
        self._n_out: int | None = None
        self._compiled_epoch = _compile(self._train_step)
        self._compiled_evaluation = _compile(self._batch_loss)

    def fit(
        self,
        train: Dataset,
        *,
        epochs: int,
        batch_size: int | None = None,
        validation: Dataset | None = None,
        seed: int = 0,
    ) -> History:
        """Train for a number of epochs, each in a new random order.

        Parameters
        ----------
        train : Dataset
            Samples to learn from.
        epochs : int
            Number of passes over `train`.
        batch_size : int, optional
            Number of samples per step; all of them by default.
        validation : Dataset, optional
            Samples to evaluate after every epoch.
        seed : int, default 0
            Seed of the order of samples and of the encoder's random keys; the same seed after
            :meth:`restart` with the same weights gives the same history.

        Returns
        -------
        History
            Loss and accuracy of every epoch.

        Raises
        ------
        ValueError
            Labels do not fit the network's outputs, the loss is not one value per sample, or
            `epochs` or `batch_size` is not a positive integer.
        FloatingPointError
            The loss is no longer finite.
        """
        positive_integer("epochs", epochs)
        batch_size = self._batch_size(train, batch_size)
        generator, key, history = np.random.default_rng(seed), jax.random.key(seed), History()
        for epoch in range(epochs):
            # One full batch keeps its order: a sum over samples depends on it in its last bit.
            order = np.arange(len(train))
            if batch_size < len(train):
                generator.shuffle(order)
            loss, accuracy, _ = self._run(
                self._compiled_epoch, train, order, batch_size, jax.random.fold_in(key, epoch)
            )
            if not np.isfinite(loss):
                raise FloatingPointError(
                    f"expected a finite training loss, got {loss} in epoch {epoch} (from 0): "
                    "lower the learning rate, clip gradients with the optimizer's "
                    "`grad_clip_norm=1.`, or choose a surrogate with a smaller peak"
                )
            history.loss.append(loss)
            history.accuracy.append(accuracy)
            if validation is not None:
                result = self.evaluate(validation, batch_size=batch_size, seed=seed)
                history.validation_loss.append(result.loss)
                history.validation_accuracy.append(result.accuracy)
        return history

    def evaluate(
        self, data: Dataset, *, batch_size: int | None = None, seed: int = 0
    ) -> Evaluation:
        """Measure loss, accuracy and scores on a data set, without changing weights.

        Parameters
        ----------
        data : Dataset
            Samples to evaluate.
        batch_size : int, optional
            Number of samples per step; all of them by default. It changes the memory needed, and
            what a random encoder draws.
        seed : int, default 0
            Seed of the encoder's random keys.

        Returns
        -------
        Evaluation
            Loss, accuracy and scores.

        Raises
        ------
        ValueError
            Labels do not fit the network's outputs, the loss is not one value per sample, or
            `batch_size` is not a positive integer.
        """
        batch_size = self._batch_size(data, batch_size)
        loss, accuracy, scores = self._run(
            self._compiled_evaluation, data, np.arange(len(data)), batch_size, jax.random.key(seed)
        )
        return Evaluation(loss, accuracy, scores)

    def restart(self, network: brainstate.nn.Module) -> None:
        """Take over the weights of another network and reset the optimizer.

        Training with several seeds this way compiles once. Only weights are taken: time
        constants, surrogate and thresholds stay those of the trainer's network.

        Parameters
        ----------
        network : brainstate.nn.Module
            A newly built network of the same structure; it is not changed.

        Raises
        ------
        ValueError
            The networks' weights differ in name, shape or unit.
        """
        fresh = network.states(brainstate.ParamState)
        found = {name: _shapes(state) for name, state in fresh.items()}
        expected = {name: _shapes(state) for name, state in self.weights.items()}
        if found != expected:
            raise ValueError(
                f"expected a network with the weights {expected}, got {found}: build it with "
                "the function that built the first one"
            )
        for name, state in self.weights.items():
            state.value = fresh[name].value
        self.optimizer.load_state_dict(self._fresh_optimizer)

    def _scores(self, inputs: jax.Array, key: jax.Array) -> jax.Array:
        """Encode a batch, run it from the initial state, reduce over time: ``[B, n_out]``."""
        brainstate.nn.reset_all_states(self.network, batch_size=inputs.shape[0])
        spikes = self.encode(inputs, key)
        return self.reduce(rollout(self.network, spikes, memory=self.memory))

    def _batch_loss(
        self, inputs: jax.Array, targets: jax.Array, sample_weight: jax.Array | None, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        scores = self._scores(inputs, key)
        losses = self.loss(scores, targets)
        if losses.shape != inputs.shape[:1]:
            raise ValueError(
                f"expected the loss of every sample, shape {inputs.shape[:1]}, got shape "
                f"{losses.shape}: let `loss` average over outputs, not over samples"
            )
        if sample_weight is None:  # no padding; the mean of a loop by hand, to the last bit
            return jnp.mean(losses), scores
        return jnp.sum(losses * sample_weight) / jnp.sum(sample_weight), scores

    def _train_step(self, *batch: Any) -> tuple[jax.Array, jax.Array]:
        gradient = brainstate.transform.grad(
            self._batch_loss, self.weights, has_aux=True, return_value=True
        )
        grads, loss, scores = gradient(*batch)
        self.optimizer.step(grads)
        return loss, scores

    def _run(
        self, compiled: Any, data: Dataset, order: np.ndarray, batch_size: int, key: jax.Array
    ) -> tuple[float, float, np.ndarray]:
        """Run a compiled pass over all batches; return loss, accuracy, scores by sample."""
        padding = -len(order) % batch_size
        batches = np.pad(order, (0, padding)).reshape(-1, batch_size)
        sizes = np.full(len(batches), batch_size)
        weight: np.ndarray | None = None
        if padding:
            weight = np.ones(batches.shape, np.float32)
            weight[-1, batch_size - padding :] = 0
            sizes[-1] -= padding
        with brainstate.environ.context(dt=self.dt, fit=compiled is self._compiled_epoch):
            self._prepare_states(batch_size)
            losses, scores = compiled(data.inputs, data.targets, batches, weight, key)
        loss = float(np.average(np.asarray(losses, np.float64), weights=sizes))
        scores = np.asarray(scores).reshape(batches.size, -1)[: len(order)]
        if not data.is_classification:
            return loss, float("nan"), scores
        accuracy = float(np.mean(scores.argmax(axis=-1) == np.asarray(data.targets)[order]))
        return loss, accuracy, scores

    def _prepare_states(self, batch_size: int) -> None:
        """Give hidden states the shape the compiled functions expect; they reset the values."""
        # In place where the states exist: a new state object would compile everything again.
        states = self.network.states().values()
        hidden = [s for s in states if isinstance(s, brainstate.HiddenState)]
        if not hidden:
            brainstate.nn.init_all_states(self.network, batch_size=batch_size)
            states = self.network.states().values()
        elif any(
            leaf.shape[:1] != (batch_size,) for s in hidden for leaf in jax.tree.leaves(s.value)
        ):
            brainstate.nn.reset_all_states(self.network, batch_size=batch_size)
        # Initial values are weakly typed and results are not: to the compiler another type,
        # and a second compilation of the same epoch.
        for state in [*states, self.optimizer.opt_state]:
            leaves = jax.tree.leaves(state.value)
            if any(getattr(leaf, "weak_type", False) for leaf in leaves):
                state.value = jax.tree.map(_strongly_typed, state.value)

    def _batch_size(self, data: Dataset, batch_size: int | None) -> int:
        """Return a batch size that the data fill, and check labels: they would index past it."""
        batch_size = len(data) if batch_size is None else batch_size
        positive_integer("batch_size", batch_size)
        batch_size = min(batch_size, len(data))
        if not data.is_classification:
            return batch_size
        if self._n_out is None:
            with brainstate.environ.context(dt=self.dt, fit=False):
                self._prepare_states(batch_size)
                scores = brainstate.transform.eval_shape(
                    self._scores, data.inputs[:batch_size], jax.random.key(0)
                )
            self._n_out = scores.shape[-1]
        lowest, highest = int(np.min(data.targets)), int(np.max(data.targets))
        if lowest < 0 or highest >= self._n_out:
            raise ValueError(
                f"expected labels from 0 to {self._n_out - 1} for a network with "
                f"{self._n_out} outputs, got labels from {lowest} to {highest}: number "
                "classes from 0, or give the network more outputs"
            )
        return batch_size


def _compile(step: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a pass over batches, given as rows of indices in `order`."""

    def all_batches(inputs: Any, targets: Any, order: Any, sample_weight: Any, key: Any) -> Any:
        def one(batch: jax.Array, weight: jax.Array | None, key: jax.Array) -> Any:
            return step(inputs[batch], targets[batch], weight, key)

        keys = jax.random.split(key, len(order))
        return brainstate.transform.for_loop(one, order, sample_weight, keys)

    return brainstate.transform.jit(all_batches)


def _strongly_typed(leaf: jax.Array) -> jax.Array:
    weak = getattr(leaf, "weak_type", False)
    return jax.lax.convert_element_type(leaf, leaf.dtype) if weak else leaf


def _shapes(state: brainstate.State) -> list[tuple[tuple[int, ...], str, str]]:
    leaves = jax.tree.leaves(state.value, is_leaf=lambda leaf: isinstance(leaf, u.Quantity))
    return [(leaf.shape, str(leaf.dtype), str(u.get_unit(leaf))) for leaf in leaves]
