"""Changes of membranes and of the time step."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import NEURON, READOUT, TUTORIAL, on, with_options


@on(
    NEURON,
    TUTORIAL="train-start[driven]",
    DIFFERENTIABILITY="diff-slope-proportional",
    STATE="state-tau[stale]",
)
def time_step():
    """The time step is twice as long."""
    import brainstate

    environ_set = brainstate.environ.set

    def set_doubled(*arguments, **values):
        if "dt" in values:
            values["dt"] = 2 * values["dt"]
        environ_set(*arguments, **values)

    brainstate.environ.set = set_doubled


@on(
    NEURON,
    TUTORIAL="train-driven-silent",
    READOUT="readout-membrane",
    DIFFERENTIABILITY="diff-slope-proportional",
)
def forward_Euler():
    """Neurons are integrated with the forward Euler method."""
    import brainstate

    brainstate.nn.exp_euler_step = lambda f, v, *a: v + f(v, *a) * brainstate.environ.get_dt()


@on(
    NEURON,
    TUTORIAL="train-start[driven]",
    DIFFERENTIABILITY="diff-slope-proportional",
    STATE="state-no-reset-scores",
)
def membrane():
    """Membranes have three times the time constant."""
    import brainpy.state
    import brainunit

    with_options(brainpy.state.LIF, tau=(5.0 * brainunit.ms, lambda tau: 3 * tau))


@on(NEURON, TUTORIAL="train-start[driven]", DIFFERENTIABILITY="diff-slope-proportional")
def high_threshold():
    """Thresholds are three times as high."""
    import brainpy.state
    import brainunit

    with_options(brainpy.state.LIF, V_th=(1.0 * brainunit.mV, lambda threshold: 3 * threshold))


@on(
    NEURON, TUTORIAL, DIFFERENTIABILITY="diff-slope-proportional", IMAGES="images-additions-skipped"
)
def low_threshold():
    """Thresholds are a fifth as high."""
    import brainpy.state
    import brainunit

    with_options(brainpy.state.LIF, V_th=(1.0 * brainunit.mV, lambda threshold: threshold / 5))


@on(NEURON, SYNAPSES="synapse-order-same")
def high_rest():
    """Neurons rest half a millivolt higher."""
    import brainpy.state
    import brainunit

    half = 0.5 * brainunit.mV
    with_options(brainpy.state.LIF, V_rest=(0.0 * brainunit.mV, lambda rest: rest + half))


@on(NEURON, SILENT="silent-highest[tau]")
def one_membrane():
    """All membranes have a time constant of 20 ms."""
    import brainpy.state
    import brainunit

    with_options(brainpy.state.LIF, tau=(None, lambda tau: 20.0 * brainunit.ms))


@on(
    NEURON,
    READOUT,
    TUTORIAL="train-start[driven]",
    DIFFERENTIABILITY="diff-slope-proportional",
    SILENT="silent-zero[inhibited]",
)
def background():
    """Every neuron gets a constant current of 0.8 mA."""
    import brainpy.state
    import brainunit

    sum_current_inputs = brainpy.state.LIF.sum_current_inputs

    def with_background(self, x, *arguments, **options):
        current = sum_current_inputs(self, x, *arguments, **options)
        return current + 0.8 * brainunit.get_unit(current)

    brainpy.state.LIF.sum_current_inputs = with_background


@on(NEURON, DIFFERENTIABILITY="diff-slope-proportional")
def reset_swapped():
    """Soft resets are hard and hard ones soft."""
    import brainpy.state

    swapped = {"soft": "hard", "hard": "soft"}
    with_options(brainpy.state.LIF, spk_reset=("soft", swapped.get))


@on(SILENT="silent-rate[cell]")
def start_at_rest():
    """Potentials start at the resting potential."""
    import brainpy.state
    import braintools
    import brainunit

    initialise = brainpy.state.LIF.__init__

    def from_rest(self, *a, V_rest=0.0 * brainunit.mV, **k):
        k["V_initializer"] = braintools.init.Constant(V_rest)
        initialise(self, *a, V_rest=V_rest, **k)

    brainpy.state.LIF.__init__ = from_rest
