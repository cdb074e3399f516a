"""Changes of synapses, projections and delays."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import SYNAPSES, on, with_options


@on(SYNAPSES)
def fast_synapses():
    """Synapses forget a hundred times as fast."""
    import brainpy.state
    import brainunit

    eight = 8.0 * brainunit.ms
    for kind in (brainpy.state.Expon, brainpy.state.Alpha):
        with_options(kind, tau=(eight, lambda tau: tau / 100))
    with_options(brainpy.state.DualExpon, tau_decay=(eight, lambda tau: tau / 100))


@on(SYNAPSES)
def unlike_synapses():
    """No two synapses have the same time constant."""
    import brainpy.state
    import brainunit

    for kind in (brainpy.state.Expon, brainpy.state.Alpha, brainpy.state.STD):
        factors = iter(range(2, 1000))
        default = 8.0 * brainunit.ms
        with_options(kind, tau=(default, lambda tau, f=factors: tau * (1 + 1 / next(f))))


@on(SYNAPSES="synapse-charge[dual]")
def raw_difference():
    """DualExpon is the difference of its exponentials, whatever its peak."""
    import brainpy.state

    with_options(brainpy.state.DualExpon, normalize=(True, lambda normalize: False))


@on(SYNAPSES="synapse-limit[cuba]")
def outputs_swapped():
    """Current-based outputs follow the potential, and conductance-based ones do not."""
    import brainpy.state
    import brainunit

    millivolts = brainunit.mV
    brainpy.state.CUBA.update = lambda self, g, V: g * (0.0 * millivolts - V)
    brainpy.state.COBA.update = lambda self, g, V: g * (self.E + 65.0 * millivolts)


@on(SYNAPSES)
def high_reversal():
    """Reversal potentials are 30 mV higher."""
    import brainpy.state
    import brainunit

    with_options(brainpy.state.COBA, E=(None, lambda E: E + 30.0 * brainunit.mV))


@on(SYNAPSES="synapse-cuba-default")
def default_scale():
    """CUBA has a scale of 65 mV by default."""
    import brainpy.state
    import brainunit

    with_options(brainpy.state.CUBA, scale=(65.0 * brainunit.mV, lambda scale: scale))


@on(SYNAPSES="synapse-delay-batch")
def empty_delays():
    """Delays keep nothing of what is written into them."""
    import brainstate

    brainstate.nn.Delay.update = lambda self, current: None


@on(SYNAPSES="synapse-align[pre-delay]")
def alike_delays():
    """All connections have the same delay."""
    import numpy

    class Middle(numpy.random.Generator):
        def integers(self, low, high=None, size=None, **options):
            if size is None and high is not None:
                return (low + high) // 2
            return super().integers(low, high, size, **options)

    default_rng = numpy.random.default_rng
    numpy.random.default_rng = lambda *seed: Middle(default_rng(*seed).bit_generator)


@on(SYNAPSES="synapse-held[shared]")
def second_state():
    """Expon keeps a second state, as DualExpon does."""
    import brainpy.state
    import brainstate

    init_state = brainpy.state.Expon.init_state

    def init_both(self, *arguments, **options):
        init_state(self, *arguments, **options)
        self.h = brainstate.HiddenState(self.g.value)

    brainpy.state.Expon.init_state = init_both


@on(SYNAPSES="synapse-shared[same]")
def nothing_shared():
    """Every projection makes a synapse of its own."""
    import itertools

    import brainpy.state

    numbers = itertools.count()
    names = brainpy.state.AlignPostProj.__init__.__globals__
    adding = names["align_post_add_bef_update"].__globals__
    adding["get_post_repr"] = lambda *parts: f"synapse {next(numbers)}"


@on(SYNAPSES="synapse-shared[same]")
def everything_shared():
    """All projections onto the same cells share a synapse."""
    import brainpy.state

    names = brainpy.state.AlignPostProj.__init__.__globals__
    adding = names["align_post_add_bef_update"].__globals__
    adding["get_post_repr"] = lambda *parts: "synapse"


@on(SYNAPSES)
def no_depression():
    """Synapses do not tire."""
    import brainpy.state

    with_options(brainpy.state.STD, U=(0.07, lambda U: 0.0 * U))
