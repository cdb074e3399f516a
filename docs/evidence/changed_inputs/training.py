"""Changes of weights, optimizers and what is learned from."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import (
    DIFFERENTIABILITY,
    FASHION,
    IMAGES,
    READOUT,
    ROLLOUTS,
    SILENT,
    SURROGATES,
    TUTORIAL,
    on,
)


@on(
    TUTORIAL,
    SURROGATES,
    READOUT,
    ROLLOUTS,
    DIFFERENTIABILITY,
    FASHION,
    IMAGES,
    SILENT="silent-dead-loss",
)
def nothing_learned():
    """Optimizers leave the weights as they are."""
    import braintools

    import trainable_spikes

    braintools.optim.OptaxOptimizer.step = lambda self, gradients, **more: None
    fit = trainable_spikes.Trainer.fit

    def one_epoch(self, *arguments, epochs, **options):
        history = fit(self, *arguments, epochs=1, **options)  # all would be alike
        for values in vars(history).values():
            values *= epochs
        return history

    trainable_spikes.Trainer.fit = one_epoch


@on(SURROGATES="surrogate-detached-peak")
def plain_descent():
    """Adam is plain gradient descent with thirty times the learning rate."""
    import braintools

    braintools.optim.Adam = lambda lr: braintools.optim.SGD(lr=30 * lr)


@on(SURROGATES, READOUT, SILENT, TUTORIAL="train-start[driven]")
def strong_weights():
    """Kaiming weights are ten times as large."""
    import braintools

    draw = braintools.init.KaimingNormal.__call__
    braintools.init.KaimingNormal.__call__ = lambda self, *a, **k: 10 * draw(self, *a, **k)


@on(READOUT="readout-max-steps")
def one_weight():
    """Kaiming weights of a layer are all alike."""
    import braintools

    draw = braintools.init.KaimingNormal.__call__

    def largest(self, *arguments, **options):
        weights = draw(self, *arguments, **options)
        return 0 * weights + weights.max()

    braintools.init.KaimingNormal.__call__ = largest


@on(SURROGATES, READOUT, SILENT)
def weak_weights():
    """Kaiming weights are a tenth as large."""
    import braintools

    draw = braintools.init.KaimingNormal.__call__
    braintools.init.KaimingNormal.__call__ = lambda self, *a, **k: 0.1 * draw(self, *a, **k)


@on(FASHION, TUTORIAL="train-differences[network]")
def package_loop():
    """The package's loss is a thousandth larger."""
    from trainable_spikes import Trainer

    batch_loss = Trainer._batch_loss

    def larger(self, *arguments):
        loss, scores = batch_loss(self, *arguments)
        return 1.001 * loss, scores

    Trainer._batch_loss = larger


@on(TUTORIAL="train-fresh")
def one_draw():
    """Every draw of random labels is the same."""
    import trainable_spikes

    random_labels = trainable_spikes.random_labels
    trainable_spikes.random_labels = lambda *a, seed=0, **k: random_labels(*a, **k)


@on(READOUT, FASHION, IMAGES)
def one_label():
    """All samples have the same label."""
    from trainable_spikes import Dataset

    check = Dataset.__post_init__

    def with_one_label(self):
        check(self)
        if self.is_classification:
            object.__setattr__(self, "targets", 0 * self.targets)

    Dataset.__post_init__ = with_one_label


@on(READOUT)
def no_input():
    """All inputs are silent."""
    from trainable_spikes import Dataset

    check = Dataset.__post_init__

    def silent(self):
        check(self)
        object.__setattr__(self, "inputs", 0 * self.inputs)

    Dataset.__post_init__ = silent


@on(IMAGES, FASHION="fashion-test-error")
def slow_learning():
    """Learning rates are a hundredth."""
    import braintools

    rate = braintools.optim.OptaxOptimizer.current_lr
    braintools.optim.OptaxOptimizer.current_lr = property(
        rate.fget, lambda self, value: rate.fset(self, value / 100)
    )


@on(FASHION, IMAGES)
def dead_units():
    """ReLU units are silent."""
    import brainstate

    brainstate.nn.ReLU.__call__ = brainstate.nn.ReLU.update = lambda self, x: 0 * x


@on(SILENT)
def driven_weakly():
    """Fluctuation_driven aims at 0.4 times the threshold."""
    import trainable_spikes

    driven = trainable_spikes.fluctuation_driven
    trainable_spikes.fluctuation_driven = lambda *a, distance=1.0, **k: driven(
        *a, distance=2.5 * distance, **k
    )


@on(SILENT="silent-highest[cell]", TIME="time-zero-products[hidden]")
def driven_strongly():
    """Fluctuation_driven aims at five times the threshold."""
    import trainable_spikes

    driven = trainable_spikes.fluctuation_driven
    trainable_spikes.fluctuation_driven = lambda *a, distance=1.0, **k: driven(
        *a, distance=distance / 5, **k
    )


@on(SILENT="silent-spikes[bytes-poisson]")
def own_scale():
    """Encoders divide intensities by the largest."""
    import trainable_spikes

    def divided(encoder):
        def with_division(*a, **k):
            encode = encoder(*a, **k)
            return lambda x, *key: encode(x / x.max(), *key)

        return with_division

    trainable_spikes.latency_spikes = divided(trainable_spikes.latency_spikes)
    trainable_spikes.poisson_spikes = divided(trainable_spikes.poisson_spikes)
