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


@on(FAST="fast-again-dt")
def nothing_reported():
    """JAX reports no compilation."""
    import jax

    jax.monitoring.register_event_duration_secs_listener = lambda listener: None


@on(FAST="fast-again-dt")
def nothing_kept():
    """Each call of a jitted function compiles it, and a restart keeps the old weights."""
    import brainstate

    import trainable_spikes

    jit = brainstate.transform.jit
    brainstate.transform.jit = lambda f: lambda *arguments: jit(lambda *a: f(*a))(*arguments)
    trainable_spikes.Trainer.restart = lambda trainer, network: None


def change_recorded_times(change):
    """Let the record that the benchmark page reads have other times of a step."""
    import json

    loads = json.loads

    def changed(text, **options):
        record = loads(text, **options)
        for row in record.get("rows", []) if isinstance(record, dict) else []:
            if row["ms"]:
                row["ms"] = change(row["contender"], row["ms"])
        return record

    json.loads = changed


@on(BENCHMARK)
def equal_times():
    """All libraries take the same time for a step."""
    change_recorded_times(lambda name, ms: 1.0)


@on(BENCHMARK)
def fast_dense_spikes():
    """The Trainer and matrix products alone take a tenth of their time."""
    change_recorded_times(lambda name, ms: ms / 10 if name in ("trainer", "gemm") else ms)
