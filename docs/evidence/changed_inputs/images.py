"""Changes of real images and of their codes."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import FASHION, IMAGES, on


@on(FASHION)
def codes_swapped():
    """The latency code is a Poisson code and the other way round."""
    import brainunit

    import trainable_spikes

    latency, poisson = trainable_spikes.latency_spikes, trainable_spikes.poisson_spikes
    trainable_spikes.latency_spikes = lambda n, latest: poisson(n, max_rate=250.0 * brainunit.Hz)
    trainable_spikes.poisson_spikes = lambda n, max_rate: latency(n, latest=18.0 * brainunit.ms)


@on(IMAGES="images-additions-skipped")
def negatives():
    """Photographs are dark on white."""
    import trainable_spikes

    sample = trainable_spikes.fashion_mnist_sample
    trainable_spikes.fashion_mnist_sample = lambda: tuple(
        trainable_spikes.Dataset(1 - part.inputs, part.targets) for part in sample()
    )


@on(IMAGES="images-shared")
def parts_overlap():
    """A split draws each of its parts from all images."""
    from trainable_spikes import Dataset

    split = Dataset.split

    def overlapping(self, *sizes, seed):
        return tuple(split(self, size, seed=seed + k)[0] for k, size in enumerate(sizes))

    Dataset.split = overlapping


@on(IMAGES)
def hasty_code():
    """The latency code takes half the time."""
    import trainable_spikes

    latency = trainable_spikes.latency_spikes
    trainable_spikes.latency_spikes = lambda n, latest: latency(n, latest=latest / 2)


@on(IMAGES)
def sorted_images():
    """Images are sorted by class and never shuffled."""
    import numpy

    import trainable_spikes

    sample = trainable_spikes.fashion_mnist_sample

    def by_class(part):
        order = numpy.argsort(part.targets, stable=True)
        return trainable_spikes.Dataset(part.inputs[order], part.targets[order])

    class Unshuffled(numpy.random.Generator):
        def permutation(self, x, **options):
            return numpy.arange(x)

        def shuffle(self, x, **options):
            pass

    trainable_spikes.fashion_mnist_sample = lambda: tuple(by_class(part) for part in sample())
    numpy.random.default_rng = lambda seed: Unshuffled(numpy.random.PCG64(seed))


@on(IMAGES)
def wrong_last_epoch():
    """The last of ten epochs learns from wrong labels."""
    from trainable_spikes import Dataset, Trainer

    restart, fit = Trainer.restart, Trainer.fit

    def restart_count(self, network):
        self.fits = 0
        restart(self, network)

    def fit_wrongly(self, data, **options):
        self.fits += 1
        if self.fits == 10:
            data = Dataset(data.inputs, (data.targets + 1) % 10)
        return fit(self, data, **options)

    Trainer.restart, Trainer.fit = restart_count, fit_wrongly


@on(SILENT="silent-spikes[bytes-poisson]", TIME="time-fewer")
def lasting_spikes():
    """Encoded inputs that have spiked once spike in every later step."""
    import jax

    import trainable_spikes

    def lasting(encoder):
        def with_memory(*a, **k):
            encode = encoder(*a, **k)
            return lambda *x: jax.lax.cummax(encode(*x), axis=0)

        return with_memory

    trainable_spikes.latency_spikes = lasting(trainable_spikes.latency_spikes)
    trainable_spikes.poisson_spikes = lasting(trainable_spikes.poisson_spikes)
