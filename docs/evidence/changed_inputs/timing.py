"""Changes of what is compiled, counted and stored."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import on


@on(TIME="time-calls[back]")
def compiled_anew():
    """Every epoch is compiled anew."""
    from trainable_spikes import Trainer
    from trainable_spikes.training import _compile

    run = Trainer._run

    def run_anew(self, compiled, *arguments):
        if compiled is self._compiled_epoch:
            compiled = self._compiled_epoch = _compile(self._train_step)
        return run(self, compiled, *arguments)

    Trainer._run = run_anew


@on(TIME="time-calls[back]")
def one_shape():
    """A batch has eight samples, whatever was asked for."""
    from trainable_spikes import Trainer

    fit = Trainer.fit
    Trainer.fit = lambda self, data, *, batch_size, **more: fit(self, data, batch_size=8, **more)


@on(TIME="time-calls[first]")
def python_loop():
    """Python loops over time."""
    import sys

    import jax.numpy

    import trainable_spikes  # noqa: F401

    def loop(function, array):
        return jax.numpy.stack([function(row) for row in array])

    sys.modules["trainable_spikes.rollout"].for_loop = loop


@on(TIME="time-gradient-operations")
def written_out():
    """Loops over time are written out in 25 rounds of several steps."""
    import sys

    import trainable_spikes  # noqa: F401

    module = sys.modules["trainable_spikes.rollout"]
    for_loop = module.for_loop

    def unrolled(function, array, **options):
        return for_loop(function, array, unroll=max(1, len(array) // 25), **options)

    module.for_loop = unrolled


@on(TIME="time-gradient-operations")
def products_twice():
    """Products with weights are computed twice."""
    import brainstate

    update = brainstate.nn.Linear.update
    brainstate.nn.Linear.update = lambda self, x: 2 * update(self, x) - update(self, x * x)


@on(TIME="time-intensity[wide]")
def no_slope():
    """No gradient passes a neuron."""
    import brainpy.state
    import jax

    update = brainpy.state.LIF.update
    brainpy.state.LIF.update = lambda self, x: jax.lax.stop_gradient(update(self, x))


@on(TIME="time-intensity[wide]")
def twice_the_memory():
    """Temporaries are twice as large."""
    from types import SimpleNamespace

    import jax

    analysis = jax.stages.Compiled.memory_analysis
    jax.stages.Compiled.memory_analysis = lambda self: SimpleNamespace(
        temp_size_in_bytes=2 * analysis(self).temp_size_in_bytes
    )


@on(TIME="time-same-currents")
def events_late():
    """Every event is one input off."""
    import trainable_spikes.events

    lists = trainable_spikes.events.event_lists
    trainable_spikes.events.event_lists = lambda spikes: lists(spikes) + 1


@on(TIME="time-zero-products[hidden]")
def inputs_repeat():
    """Every input of Randman spikes twice."""
    import jax.numpy

    import trainable_spikes

    randman = trainable_spikes.randman

    def repeated(*arguments, **options):
        data = randman(*arguments, **options)
        later = jax.numpy.roll(data.inputs, 1, axis=1)
        return trainable_spikes.Dataset(data.inputs + later, data.targets)

    trainable_spikes.randman = repeated
