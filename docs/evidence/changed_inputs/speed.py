"""Changes of event lists and of what compiles."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import BENCHMARK, on


@on(FAST="fast-currents-same")
def lists_forget():
    """On event lists, synapses and membranes forget twice as fast."""
    import trainable_spikes.events as events

    decay = events._decay
    events._decay = lambda tau: decay(tau) ** 2


@on(FAST="fast-same-lists")
def later_latency_spikes():
    """Latency spikes come a step later."""
    import jax.numpy as jnp

    import trainable_spikes

    latency_spikes = trainable_spikes.latency_spikes

    def later(*arguments, **options):
        encode = latency_spikes(*arguments, **options)
        return lambda *given: jnp.roll(encode(*given), 1, axis=0)

    trainable_spikes.latency_spikes = later


@on(FAST="fast-density")
def many_latency_spikes():
    """Each intensity gives a train of spikes."""
    import jax.numpy as jnp

    import trainable_spikes

    latency_spikes = trainable_spikes.latency_spikes

    def train(*arguments, **options):
        encode = latency_spikes(*arguments, **options)
        return lambda *given: jnp.cumsum(encode(*given), axis=0)

    trainable_spikes.latency_spikes = train


@on(FAST="fast-accuracy")
def no_learning():
    """The learning rate is zero."""
    import braintools

    adam = braintools.optim.Adam
    braintools.optim.Adam = lambda lr: adam(lr=0.0)


@on(FAST="fast-compilations[time-step]")
def nothing_reported():
    """JAX reports no compilation."""
    import jax

    jax.monitoring.register_event_duration_secs_listener = lambda listener: None


@on(FAST="fast-compilations[time-step]")
def nothing_kept():
    """Each call of a jitted function compiles it, and a restart keeps the old weights."""
    import brainstate

    import trainable_spikes

    jit = brainstate.transform.jit
    brainstate.transform.jit = lambda f: lambda *arguments: jit(lambda *a: f(*a))(*arguments)
    trainable_spikes.Trainer.restart = lambda trainer, network: None


def change_recorded_rows(change, part="rows"):
    """Let `change` alter each row of a part of the records that the benchmark page reads."""
    import json

    loads = json.loads

    def changed(text, **options):
        record = loads(text, **options)
        for row in record.get(part, []) if isinstance(record, dict) else []:
            change(row)
        return record

    json.loads = changed


@on(BENCHMARK)
def equal_times():
    """All libraries take the same time for a step."""
    change_recorded_rows(lambda row: row.update(ms=row["ms"] and 1.0))


@on(BENCHMARK)
def fast_dense_spikes():
    """The Trainer, the adjoint by hand and matrix products alone take a tenth of their time."""

    def change(row):
        if row["ms"] and row["contender"] in ("trainer", "torch_adjoint", "gemm"):
            row["ms"] /= 10

    change_recorded_rows(change)


@on(BENCHMARK)
def slow_event_lists():
    """Steps on event lists take ten times as long."""

    def change(row):
        if row["ms"] and row["contender"] == "events":
            row["ms"] *= 10

    change_recorded_rows(change)


@on(BENCHMARK)
def other_gradients():
    """Gradients are twice as large, but not in the loop by hand."""

    def change(row):
        if row["gradient_norm"] and row["contender"] != "reference":
            row["gradient_norm"] *= 2

    change_recorded_rows(change)


@on(BENCHMARK)
def steeper_growth():
    """Exponents are larger by one half."""
    change_recorded_rows(lambda row: row.update(slope=row["slope"] + 0.5), "slopes")


@on(BENCHMARK)
def slow_learning():
    """Event lists take ten times as long to an accuracy, and three times the steps."""

    def change(row):
        if row["contender"] == "events":
            row.update(seconds=10 * row["seconds"], steps=3 * row["steps"])

    change_recorded_rows(change, "accuracy")


@on(BENCHMARK)
def nothing_learned():
    """No run reaches the accuracy."""
    change_recorded_rows(lambda row: row.update(reached=False), "accuracy")


@on(BENCHMARK)
def no_growth():
    """Nothing grows with anything."""
    change_recorded_rows(lambda row: row.update(slope=0.0), "slopes")
