"""Changes of readouts."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import READOUT, on, with_options


@on(READOUT)
def long_memory():
    """Readouts have thirty times the time constant."""
    import brainpy.state
    import brainunit

    import trainable_spikes

    slow = (5.0 * brainunit.ms, lambda tau: 30 * tau)
    for kind in (
        brainpy.state.LeakyRateReadout,
        brainpy.state.Expon,
        trainable_spikes.MembraneReadout,
    ):
        with_options(kind, tau=slow)


@on(READOUT)
def short_memory():
    """Readouts have a tenth of the time constant."""
    import brainpy.state
    import brainunit

    with_options(brainpy.state.LeakyRateReadout, tau=(5.0 * brainunit.ms, lambda tau: tau / 10))


@on(READOUT="readout-frozen")
def fresh_decay():
    """LeakyRateReadout reads the time step at every call."""
    import brainpy.state
    import brainstate
    import brainunit

    update = brainpy.state.LeakyRateReadout.update

    def update_with_fresh_decay(self, x):
        self.decay = brainunit.math.exp(-brainstate.environ.get_dt() / self.tau)
        return update(self, x)

    brainpy.state.LeakyRateReadout.update = update_with_fresh_decay
