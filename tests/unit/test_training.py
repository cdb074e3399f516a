"""The trainer does what a loop written by hand does, no sample more or less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainpy.state
import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts


class Table(brainstate.nn.Module):
    """Scores are a plain product of input and weights: every update can be told by hand."""

    def __init__(self, weight: np.ndarray) -> None:
        super().__init__()
        self.weight = brainstate.ParamState(jnp.asarray(weight, jnp.float32))

    def update(self, x: jax.Array) -> jax.Array:
        return x @ self.weight.value


def negative_score(scores: jax.Array, targets: jax.Array) -> jax.Array:
    return -scores.sum(axis=-1)


def one_hot_data(n: int, dtype: type = float) -> ts.Dataset:
    """Sample n is the n-th unit vector, for one time step, with n as its target or label."""
    return ts.Dataset(jnp.eye(n)[:, None, :], jnp.arange(n, dtype=dtype))


def adam(rate: float = 0.02) -> braintools.optim.Adam:
    return braintools.optim.Adam(lr=rate)


def trainer(network: brainstate.nn.Module, optimizer: Any = None, **settings: Any) -> ts.Trainer:
    with brainstate.environ.context(dt=1.0 * u.ms):
        return ts.Trainer(network, optimizer or adam(), **settings)


def weights(network: brainstate.nn.Module) -> list[np.ndarray]:
    states = network.states(brainstate.ParamState).values()
    return [np.asarray(x) for state in states for x in jax.tree.leaves(state.value)]


@pytest.fixture
def samples(spikes: Callable) -> ts.Dataset:
    return ts.Dataset(spikes(10, 12, 8), np.arange(10) % 2)


# Losses


def test_cross_entropy_is_minus_the_log_of_the_softmax_at_the_label() -> None:
    generator = np.random.default_rng(0)
    scores, labels = generator.normal(size=(6, 3)), generator.integers(3, size=6)
    expected = [
        np.log(np.exp(row).sum()) - row[label] for row, label in zip(scores, labels, strict=True)
    ]
    loss = ts.cross_entropy(jnp.asarray(scores), jnp.asarray(labels))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_squared_error_averages_outputs_and_keeps_samples_apart() -> None:
    scores, targets = jnp.array([[1.0, 2.0], [0.0, 0.0]]), jnp.array([[0.0, 0.0], [0.0, 4.0]])
    np.testing.assert_allclose(ts.squared_error(scores, targets), [2.5, 8.0])


# The same losses as by hand


def test_losses_equal_those_of_a_loop_by_hand_bit_for_bit(
    build: Callable, samples: ts.Dataset
) -> None:
    by_trainer, by_hand = build(), build()
    history = trainer(by_trainer).fit(samples, epochs=6)

    optimizer = adam()
    parameters = by_hand.states(brainstate.ParamState)
    optimizer.register_trainable_weights(parameters)
    inputs, labels = jnp.swapaxes(samples.inputs, 0, 1), samples.targets

    def loss() -> jax.Array:
        brainstate.nn.reset_all_states(by_hand, batch_size=10)
        scores = brainstate.transform.for_loop(by_hand.update, inputs).mean(axis=0)
        each = braintools.metric.softmax_cross_entropy_with_integer_labels(scores, labels)
        return each.mean()

    @brainstate.transform.jit
    def step() -> jax.Array:
        gradients, value = brainstate.transform.grad(loss, parameters, return_value=True)()
        optimizer.step(gradients)
        return value

    losses = []
    with brainstate.environ.context(dt=1.0 * u.ms):
        brainstate.nn.init_all_states(by_hand, batch_size=10)
        for _ in range(6):
            losses.append(float(step()))
    assert losses[-1] < losses[0]
    assert history.loss == losses
    for ours, theirs in zip(weights(by_trainer), weights(by_hand), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_same_seed_gives_the_same_history_and_another_seed_another(
    build: Callable, samples: ts.Dataset
) -> None:
    with brainstate.environ.context(dt=1.0 * u.ms):
        encode = ts.poisson_spikes(12, 500.0 * u.Hz)
    static = ts.Dataset(samples.inputs.mean(axis=1), samples.targets)
    run = trainer(build(), encode=encode)

    def history(seed: int) -> ts.History:
        run.restart(build())
        return run.fit(static, epochs=3, batch_size=4, seed=seed)

    first = history(1)
    assert len(first.loss) == len(first.accuracy) == 3
    assert not first.validation_loss
    assert history(2).loss != first.loss
    assert history(1) == first


def test_saving_memory_changes_no_loss(build: Callable, samples: ts.Dataset) -> None:
    plain, remat = (
        trainer(build(), memory=memory).fit(samples, epochs=3).loss for memory in ("plain", "remat")
    )
    np.testing.assert_allclose(remat, plain, rtol=1e-5)


# Batches


def test_every_sample_counts_once_an_epoch_also_in_the_last_odd_batch() -> None:
    # Each weight is moved by one sample only, by one over the size of that sample's batch.
    network = Table(np.zeros((5, 1)))
    run = trainer(network, braintools.optim.SGD(lr=1.0), loss=negative_score)
    alone = set()
    for seed in range(6):
        network.weight.value = jnp.zeros((5, 1))
        run.fit(one_hot_data(5), epochs=1, batch_size=4, seed=seed)
        moved = np.asarray(network.weight.value)[:, 0]
        np.testing.assert_allclose(sorted(moved), [0.25] * 4 + [1.0])
        alone.add(int(moved.argmax()))
    assert len(alone) > 1  # the order is random


def test_order_changes_from_epoch_to_epoch() -> None:
    network = Table(np.zeros((50, 1)))
    run = trainer(network, braintools.optim.SGD(lr=1.0), loss=negative_score)
    run.fit(one_hot_data(50), epochs=2, batch_size=49)
    moved = np.asarray(network.weight.value)[:, 0]
    # Not twice the same sample alone: one sample would have moved by 2.
    np.testing.assert_allclose(np.sort(moved)[-2:], 1 + 1 / 49)


def test_shuffled_samples_keep_their_labels() -> None:
    # Scores are right for each label from the start, and the learning rate is zero.
    run = trainer(Table(10 * np.eye(7)), braintools.optim.SGD(lr=0.0))
    history = run.fit(one_hot_data(7, int), epochs=3, batch_size=2)
    assert history.accuracy == [1.0, 1.0, 1.0]
    right = float(ts.cross_entropy(10 * jnp.eye(7), jnp.arange(7))[0])
    np.testing.assert_allclose(history.loss, right, rtol=1e-3)


def test_epoch_loss_is_the_mean_over_samples_not_over_batches() -> None:
    run = trainer(Table(np.arange(5.0)[:, None]), braintools.optim.SGD(lr=0.0), loss=negative_score)
    for batch_size in (1, 2, 3, 4, 5):
        history = run.fit(one_hot_data(5), epochs=1, batch_size=batch_size)
        assert history.loss == [-2.0]


def test_padded_batch_has_the_gradient_of_its_samples_alone(
    build: Callable, samples: ts.Dataset
) -> None:
    # 10 samples in one batch of 12 do not exist: fit never pads a single batch. So 13 of
    # which 10 make a full batch, and the odd three are compared with three on their own.
    more = ts.Dataset(
        jnp.concatenate([samples.inputs, 1 - samples.inputs[:3]]),
        jnp.concatenate([samples.targets, samples.targets[:3]]),
    )
    order = np.arange(13)
    np.random.default_rng(0).shuffle(order)
    odd = ts.Dataset(more.inputs[order[10:]], more.targets[order[10:]])
    full = ts.Dataset(more.inputs[order[:10]], more.targets[order[:10]])
    whole, parts = build(), build()
    trainer(whole, braintools.optim.SGD(lr=0.5)).fit(more, epochs=1, batch_size=10, seed=0)
    by_part = trainer(parts, braintools.optim.SGD(lr=0.5))
    for part in (full, odd):
        by_part.fit(part, epochs=1)
    for ours, theirs in zip(weights(whole), weights(parts), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_batch_size_of_an_evaluation_does_not_change_its_result(
    build: Callable, samples: ts.Dataset
) -> None:
    network = build()
    with brainstate.environ.context(dt=1.0 * u.ms):
        outputs = ts.record(network, samples.inputs.swapaxes(0, 1)).outputs
    scores, labels = np.asarray(outputs).mean(axis=0), np.asarray(samples.targets)
    each = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(10), labels]
    run = trainer(network)
    for batch_size in (3, 4, 5, 99):  # one, two and no samples of padding, and one batch
        result = run.evaluate(samples, batch_size=batch_size)
        np.testing.assert_allclose(result.scores, scores, rtol=1e-4, atol=1e-6)
        assert result.loss == pytest.approx(each.mean(), rel=1e-5)
        assert result.accuracy == (scores.argmax(axis=1) == labels).mean()


# States


def test_evaluation_changes_no_weight_and_forgets_what_ran_before(
    build: Callable, samples: ts.Dataset
) -> None:
    network = build()
    run = trainer(network)
    before = weights(network)
    first = run.evaluate(samples, batch_size=5)  # two batches, one after the other
    backwards = ts.Dataset(samples.inputs[::-1], samples.targets[::-1])
    reversed_scores = run.evaluate(backwards, batch_size=5).scores[::-1]
    np.testing.assert_allclose(reversed_scores, first.scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(run.evaluate(samples, batch_size=5).scores, first.scores)
    for ours, theirs in zip(weights(network), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert run.optimizer.step_count.value == 0


def test_validation_during_training_changes_no_training_loss(
    build: Callable, samples: ts.Dataset
) -> None:
    other = ts.Dataset(1 - samples.inputs[:7], samples.targets[:7])
    run = trainer(build())
    alone = run.fit(samples, epochs=3, batch_size=4)
    run.restart(build())
    watched = run.fit(samples, epochs=3, batch_size=4, validation=other)
    assert watched.loss == alone.loss
    assert len(watched.validation_loss) == len(watched.validation_accuracy) == 3
    last = run.evaluate(other, batch_size=4)
    assert watched.validation_loss[-1] == last.loss
    assert watched.validation_accuracy[-1] == last.accuracy


def test_recording_between_epochs_changes_nothing(build: Callable, samples: ts.Dataset) -> None:
    network = build()
    run = trainer(network)
    first = run.evaluate(samples)
    with brainstate.environ.context(dt=1.0 * u.ms):
        ts.record(network, samples.inputs[:3].swapaxes(0, 1))
    np.testing.assert_array_equal(run.evaluate(samples).scores, first.scores)


# Random keys


def test_encoder_gets_a_new_key_each_batch_and_epoch_and_the_same_in_each_evaluation() -> None:
    def noise(inputs: jax.Array, key: jax.Array) -> jax.Array:
        return jax.random.uniform(key, (1, *inputs.shape))

    run = trainer(
        Table(np.ones((1, 1))), braintools.optim.SGD(lr=0.0), encode=noise, loss=negative_score
    )
    blank = ts.Dataset(jnp.zeros((6, 1)), jnp.zeros((6, 1)))
    scores = run.evaluate(blank, batch_size=3, seed=1).scores
    assert len(np.unique(scores)) == 6
    np.testing.assert_array_equal(run.evaluate(blank, batch_size=3, seed=1).scores, scores)
    assert (run.evaluate(blank, batch_size=3, seed=2).scores != scores).all()
    losses = run.fit(blank, epochs=4, batch_size=3).loss
    assert len(set(losses)) == 4
    assert run.fit(blank, epochs=4, batch_size=3).loss == losses


# Compiling once


def test_other_data_seeds_epochs_and_weights_compile_nothing_again(
    build: Callable, samples: ts.Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    traced = []

    def encode(inputs: jax.Array, key: jax.Array) -> jax.Array:
        traced.append(inputs.shape)  # Python runs when the step is traced, not when it runs
        return ts.time_first(inputs, key)

    def count() -> tuple[int, int]:
        # Tracing once is not enough: states that change type compile again unseen.
        name = "XLA compilation of jit(jaxpr_call)"  # what brainstate calls its functions
        return len(traced), sum(name in record.getMessage() for record in caplog.records)

    run, other_network = trainer(build(), encode=encode), build(seed=1)
    other = ts.Dataset(1 - samples.inputs, 1 - samples.targets)
    with jax.log_compiles(), caplog.at_level("WARNING", "jax"):
        run.fit(samples, epochs=1, batch_size=4, validation=samples)
        first = count()
        assert first[1] == 2  # an epoch and an evaluation
        run.fit(other, epochs=3, batch_size=4, validation=samples, seed=5)
        run.restart(other_network)
        run.fit(samples, epochs=1, batch_size=4, validation=other)
        run.evaluate(other, batch_size=4)
        assert count() == first
        run.evaluate(other, batch_size=2)
        assert all(now > then for now, then in zip(count(), first, strict=True))


def test_restart_equals_a_new_trainer_with_the_new_weights(
    build: Callable, samples: ts.Dataset
) -> None:
    run = trainer(build())
    run.fit(samples, epochs=4, batch_size=4)
    run.optimizer.current_lr = 0.5
    fresh = build(seed=1)
    kept = weights(fresh)
    run.restart(fresh)
    assert run.optimizer.step_count.value == 0
    again = run.fit(samples, epochs=4, batch_size=4)
    assert again == trainer(build(seed=1)).fit(samples, epochs=4, batch_size=4)
    for ours, theirs in zip(weights(fresh), kept, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_restart_with_another_structure_is_refused(build: Callable) -> None:
    run = trainer(build())
    for other in (ts.SpikingClassifier(8, 7, 2), Table(np.zeros((8, 2)))):
        with pytest.raises(ValueError, match=r"expected a network with the weights .*, got .*bu"):
            run.restart(other)


# The time step


def test_restart_with_weights_in_another_unit_is_refused(build: Callable) -> None:
    subject = trainer(build())
    other = build()
    weight = other.input.weight.value
    other.input.weight.value = {k: 1000 * v.to_decimal(u.mA) * u.uA for k, v in weight.items()}
    with pytest.raises(ValueError, match=r"expected a network with the weights .*mA.* got .*uA"):
        subject.restart(other)


@pytest.mark.parametrize("loss", [lambda s, t: s.mean(), lambda s, t: s])
def test_loss_that_is_not_one_value_a_sample_is_refused(
    loss: Callable, build: Callable, samples: ts.Dataset
) -> None:
    with pytest.raises(ValueError, match=r"expected the loss of every sample, shape \(4,\), got"):
        trainer(build(), loss=loss).fit(samples, epochs=1, batch_size=4)


def test_layers_that_act_in_training_only_know_when_that_is(samples: ts.Dataset) -> None:
    class Dropped(brainstate.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = brainstate.nn.Sequential(
                brainstate.nn.Dropout(0.5), brainstate.nn.Linear(8, 2)
            )

        def update(self, x: jax.Array) -> jax.Array:
            return self.layers(x)

    brainstate.random.seed(0)
    subject = trainer(Dropped())
    before = subject.evaluate(samples)
    assert before.loss == subject.evaluate(samples).loss, "no chance in an evaluation"
    subject.restart(subject.network)
    (trained,) = subject.fit(samples, epochs=1).loss
    assert trained != pytest.approx(before.loss, rel=1e-6), "but in training"


def test_time_step_of_the_trainer_outlives_its_context(
    build: Callable, samples: ts.Dataset
) -> None:
    with brainstate.environ.context(dt=1.0 * u.ms):
        expected = ts.Trainer(build(), adam()).evaluate(samples)
    run = trainer(build())
    with brainstate.environ.context(dt=4.0 * u.ms):
        elsewhere = run.evaluate(samples)
        other = ts.Trainer(build(), adam()).evaluate(samples)
    nowhere = run.evaluate(samples)
    np.testing.assert_array_equal(elsewhere.scores, expected.scores)
    np.testing.assert_array_equal(nowhere.scores, expected.scores)
    assert (np.abs(other.scores - expected.scores) > 1e-3).any()


# Tasks


def test_structure_is_learned_and_found_again_in_unseen_samples() -> None:
    with brainstate.environ.context(dt=1.0 * u.ms):
        train, test = (
            ts.rate_patterns(128, n_in=40, n_steps=50, high=40.0 * u.Hz, seed=seed)
            for seed in (1, 2)
        )
        brainstate.random.seed(0)
        run = ts.Trainer(ts.SpikingClassifier(40, 16, 2, weight_scale=4.0), adam(0.01))
    before = run.evaluate(test)
    history = run.fit(train, epochs=20, batch_size=32)
    after = run.evaluate(test)
    assert history.loss[-1] < 0.5 * history.loss[0]
    assert after.accuracy > 0.9 > before.accuracy
    assert after.scores.shape == (128, 2)


def test_regression_reaches_its_targets_and_has_no_accuracy(
    build: Callable, spikes: Callable
) -> None:
    data = ts.Dataset(spikes(6, 20, 8), np.linspace(-1, 1, 12).reshape(6, 2).astype(np.float32))
    run = trainer(build(), adam(0.05), loss=ts.squared_error, reduce=ts.last_step)
    history = run.fit(data, epochs=60, validation=data)
    assert history.loss[-1] < 0.2 * history.loss[0]
    assert np.isnan(history.accuracy).all()
    assert np.isnan(history.validation_accuracy).all()
    result = run.evaluate(data, batch_size=4)
    assert np.isnan(result.accuracy)
    expected = np.mean((result.scores - np.asarray(data.targets)) ** 2)
    assert result.loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "readout",
    [
        lambda: ts.SpikingReadout(6, 2, weight_scale=15.0),
        lambda: brainpy.state.LeakyRateReadout(6, 2),
    ],
)
def test_any_readout_trains(readout: Callable, build: Callable, samples: ts.Dataset) -> None:
    with brainstate.environ.context(dt=1.0 * u.ms):
        network = build(readout=readout())
    before = weights(network)
    history = trainer(network, reduce=ts.sum_over_time).fit(samples, epochs=8)
    assert history.loss[-1] < history.loss[0]
    assert all((x != y).any() for x, y in zip(weights(network), before, strict=True) if y.any())


# What is refused


@pytest.mark.parametrize("labels", [[0, 1, 2, 0], [0, 1, -1, 0]])
def test_labels_beyond_the_outputs_are_refused(labels: list[int], build: Callable) -> None:
    data = ts.Dataset(jnp.ones((4, 5, 8)), np.array(labels))
    run = trainer(build())
    for call in (lambda: run.fit(data, epochs=1), lambda: run.evaluate(data)):
        with pytest.raises(ValueError, match="expected labels") as caught:
            call()
        message = str(caught.value)
        assert "expected labels from 0 to 1 for a network with 2 outputs" in message
        assert f"got labels from {min(labels)} to {max(labels)}: number classes from 0" in message


def test_validation_labels_are_checked_as_well(build: Callable, samples: ts.Dataset) -> None:
    wrong = ts.Dataset(samples.inputs, samples.targets + 1)
    with pytest.raises(ValueError, match="expected labels from 0 to 1"):
        trainer(build()).fit(samples, epochs=1, validation=wrong)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 5, 7), r"one step of input spikes of shape \[B, 8\], got \(4, 7\): loop over time"),
        ((4, 8), r"expected inputs over time .*got shape \(8, 4\): encode static inputs first"),
    ],
)
def test_data_of_the_wrong_shape_are_refused(shape: tuple, message: str, build: Callable) -> None:
    data = ts.Dataset(jnp.ones(shape), jnp.zeros(4, int))
    with pytest.raises(ValueError, match=message):
        trainer(build()).fit(data, epochs=1)


def test_targets_that_would_broadcast_are_refused(build: Callable) -> None:
    data = ts.Dataset(jnp.ones((4, 5, 8)), jnp.zeros((4, 1)))
    run = trainer(build(), loss=ts.squared_error)
    with pytest.raises(ValueError, match=r"of the scores' shape \(4, 2\), got \(4, 1\)"):
        run.fit(data, epochs=1)


def test_loss_that_is_no_longer_finite_stops_training(build: Callable, samples: ts.Dataset) -> None:
    run = trainer(build(), braintools.optim.SGD(lr=1e38), loss=lambda s, _: (s**2).sum(axis=-1))
    with pytest.raises(FloatingPointError) as caught:
        run.fit(samples, epochs=5, batch_size=5)
    message = str(caught.value)
    assert "expected a finite training loss, got" in message
    assert "in epoch " in message
    assert "lower the learning rate, clip gradients" in message


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 1, "batch_size": 0}])
def test_no_epochs_and_empty_batches_are_refused(
    wrong: dict, build: Callable, samples: ts.Dataset
) -> None:
    with pytest.raises(ValueError, match=f"expected {list(wrong)[-1]} to be an integer of at leas"):
        trainer(build()).fit(samples, **wrong)
