"""Changes of spikes, of their surrogate derivatives and of the path through the reset."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import (
    DIFFERENTIABILITY,
    FASHION,
    READOUT,
    SURROGATES,
    TUTORIAL,
    on,
    with_options,
)


@on(TUTORIAL, SURROGATES, READOUT, DIFFERENTIABILITY, FASHION, ROLLOUTS="rollout-gradient-smallest")
def no_surrogate():
    """Every spike has a derivative of zero."""
    from braintools.surrogate import _base

    _base.Surrogate.__call__ = lambda self, x: _base.heaviside_p.bind(x, 0 * x)[0]


@on(TUTORIAL, SURROGATES, DIFFERENTIABILITY)
def high_peak():
    """Every surrogate is ten times as high."""
    from braintools.surrogate import _base

    _base.Surrogate.__call__ = lambda self, x: _base.heaviside_p.bind(
        x, 10 * self.surrogate_grad(x)
    )[0]


@on(SURROGATES, SILENT="silent-dead-loss")
def one_surrogate():
    """All surrogates of braintools are one curve with long tails."""
    import braintools

    for kind in vars(braintools.surrogate).values():
        if isinstance(kind, type):
            kind.surrogate_grad = lambda self, x: 0.3 / (1 + x**2)


@on(SURROGATES="surrogate-number")
def other_release():
    """Braintools has other surrogates."""
    import braintools

    class SuperSpike(braintools.surrogate.Sigmoid):
        pass

    braintools.surrogate.SuperSpike = SuperSpike


@on(DIFFERENTIABILITY, TUTORIAL="train-driven-silent", SURROGATES="surrogate-formulas")
def graded_spikes():
    """A spike is a sigmoid of the potential in place of a step."""
    import jax
    from braintools.surrogate import _base

    _base.Surrogate.__call__ = lambda self, x: jax.nn.sigmoid(4 * x)


@on(SURROGATES="surrogate-needle-tail")
def short_distances():
    """Absolute values are half as large."""
    import jax.numpy

    absolute = jax.numpy.abs
    jax.numpy.abs = lambda x: absolute(x) / 2


@on(DIFFERENTIABILITY)
def smooth_spikes():
    """A sigmoid is given the derivative of another curve."""
    import jax

    sigmoid = jax.nn.sigmoid
    wrong = jax.custom_jvp(sigmoid)
    wrong.defjvp(lambda x, t: (sigmoid(*x), t[0] / (1 + x[0] ** 2)))
    jax.nn.sigmoid = wrong


@on(TUTORIAL="train-surrogate-reach")
def numerical_derivatives():
    """Derivatives are differences over a tenth of a millivolt."""
    import jax

    jax.grad = lambda f: lambda x: (f(x + 0.05) - f(x - 0.05)) / 0.1


@on(DIFFERENTIABILITY="diff-exceptions[detached]")
def detached_neurons():
    """Detached neurons reset to another potential."""
    import brainunit

    import trainable_spikes

    with_options(
        trainable_spikes.DetachedLIF,
        V_reset=(0.0 * brainunit.mV, lambda potential: potential - 0.5 * brainunit.mV),
    )


@on(DIFFERENTIABILITY, SURROGATES, ROLLOUTS="rollout-window-busy")
def nothing_detached():
    """No gradient is ever stopped."""
    import jax

    jax.lax.stop_gradient = lambda x: x
