"""Changes of a balanced network."""
# mypy: ignore-errors

from __future__ import annotations

from collections.abc import Callable

from changed_inputs.registry import BALANCE, on, with_options


def _with_generator(**methods: Callable) -> None:
    """Let NumPy's generators draw otherwise: each method gets the generator and its arguments."""
    import numpy

    kind = type("Changed", (numpy.random.Generator,), methods)
    default_rng = numpy.random.default_rng
    numpy.random.default_rng = lambda seed: kind(default_rng(seed).bit_generator)


@on(BALANCE)
def nothing_recurrent():
    """Projections add nothing to the membrane."""
    import brainpy.state

    brainpy.state.DeltaProj.update = lambda self, spikes: None


@on(BALANCE)
def fixed_drive():
    """Poisson numbers have a mean of two, whatever mean is asked for."""
    import scipy.stats

    cdf = scipy.stats.poisson.cdf
    scipy.stats.poisson.cdf = lambda counts, mean: cdf(counts, 2.0)


@on(BALANCE="balance-more-spikes")
def long_refractory():
    """Neurons with a refractory time reset hard, and it is three times as long."""
    import brainpy.state
    import brainunit

    with_options(
        brainpy.state.LIFRef,
        spk_reset=("soft", lambda reset: "hard"),
        tau_ref=(5.0 * brainunit.ms, lambda time: 3 * time),
    )


@on(BALANCE)
def random_inputs():
    """Neurons have random numbers of inputs."""
    _with_generator(permutation=lambda self, x: self.choice(x, size=len(x)))


@on(BALANCE="balance-cv[each]")
def bursts():
    """Random numbers between 0 and 1 stay the same for ten steps."""
    import numpy

    def slow(self, size=None, **options):
        numbers = numpy.random.Generator.random(self, size, **options)
        return numbers if numpy.ndim(numbers) < 2 else numpy.repeat(numbers[::10], 10, axis=0)

    _with_generator(random=slow)


@on(BALANCE="balance-cv[3]")
def jitter():
    """Every second spike is found half a millisecond late."""
    import numpy

    nonzero = numpy.nonzero

    def late(x):
        *others, step = nonzero(x)
        return *others, step + 5 * (numpy.arange(len(step)) % 2)

    numpy.nonzero = late


@on(BALANCE="balance-theory[slow]")
def other_integral():
    """The theory's integrand is half as large again."""
    import scipy.special

    erfcx = scipy.special.erfcx
    scipy.special.erfcx = lambda x: 1.5 * erfcx(x)
