"""Changes of states, units, keys and of what is compiled."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import STATE, on


@on(STATE)
def nothing_compiled():
    """Functions are not compiled."""
    import brainpy.state  # noqa: F401 - compiles some of its own when it is imported
    import brainstate

    brainstate.transform.jit = lambda f: f


@on(STATE="state-jax-frozen")
def fixed_states():
    """Short-term States keep their first value."""
    import brainstate

    value = brainstate.ShortTermState.value
    brainstate.ShortTermState.value = property(value.fget, lambda self, new: None)


@on(STATE="state-init-untouched")
def init_resets():
    """Init_all_states fills States that are there already."""
    import brainpy.state

    for kind in (brainpy.state.LIF, brainpy.state.Expon):

        def init_or_reset(self, *a, init=kind.init_state, **k):
            made = hasattr(self, "V") or hasattr(self, "g")
            (self.reset_state if made else init.__get__(self))(*a, **k)

        kind.init_state = init_or_reset


@on(STATE="state-no-reset-scores")
def reset_nothing():
    """Reset_all_states leaves States as they are."""
    import brainstate

    brainstate.nn.reset_all_states = lambda *a, **k: None


@on(STATE="state-no-reset-scores")
def silent_input():
    """Random inputs never spike."""
    import trainable_spikes

    random_labels = trainable_spikes.random_labels

    def silent(*a, **k):
        data = random_labels(*a, **k)
        return trainable_spikes.Dataset(0 * data.inputs, data.targets)

    trainable_spikes.random_labels = silent


@on(STATE="state-broadcast")
def noisy_neurons():
    """Every neuron and sample gets random current."""
    import brainpy.state
    import brainstate
    import brainunit

    sum_current_inputs = brainpy.state.LIF.sum_current_inputs

    def with_noise(self, x, *arguments, **options):
        current = sum_current_inputs(self, x, *arguments, **options)
        noise = brainstate.random.randn(*self.V.value.shape)
        return current + noise * brainunit.get_unit(current)

    brainpy.state.LIF.sum_current_inputs = with_noise


@on(STATE="state-scores[rollout]")
def fixed_time_step():
    """A context leaves the time step as it is."""
    import brainstate

    context = brainstate.environ.context
    brainstate.environ.context = lambda dt=None, **values: context(**values)


@on(STATE="state-scores[trainer]")
def trainer_follows():
    """The package's Trainer takes the time step of each call."""
    import brainstate

    import trainable_spikes

    trainable_spikes.Trainer.dt = property(
        lambda self: brainstate.environ.get_dt(), lambda self, dt: None
    )


@on(STATE="state-operations[amperes]")
def costly_units():
    """Quantities are damped at every step, and amperes are milliamperes."""
    import brainstate
    import brainunit

    exp_euler_step = brainstate.nn.exp_euler_step

    def damped(*arguments):
        new = exp_euler_step(*arguments)
        return 0.9 * new if isinstance(new, brainunit.Quantity) else new

    brainstate.nn.exp_euler_step = damped
    brainunit.amp = brainunit.mA


@on(STATE)
def seedless():
    """A seed changes nothing."""
    import brainstate

    brainstate.random.seed = lambda *a: None


@on(STATE)
def one_key():
    """Every draw takes the same random key."""
    import brainstate
    import jax

    def same_key(self, n=None, **options):
        key = jax.random.key(0)
        return key if n is None else jax.random.split(key, n)

    brainstate.random.RandomState.split_key = same_key
