"""Changes under which claims must fail, to show that they can.

Each is a function that `falsify.py` calls in a page's process before the first cell. Its
docstring completes "fails when". `@on` names the pages it is for; where a claim stands beside
a page, cells after that claim do not run.
"""
# mypy: ignore-errors

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NEURON = "tutorials/a-first-neuron"
TUTORIAL = "tutorials/train-a-spiking-network"
SURROGATES = "howto/surrogate-gradients"
READOUT = "howto/trainable-readout"
ROLLOUTS = "howto/long-rollouts"
DIFFERENTIABILITY = "concepts/differentiability"
STATE = "concepts/state-time-and-units"
FASHION = "gallery/fashion-mnist"


@dataclass(frozen=True)
class Change:
    """A function of this file: its name, what it changes in words, and where."""

    name: str
    clause: str
    until: dict[str, str]  # by page, the last claim that is run; empty for the whole page

    @property
    def first_cell(self) -> str:
        return f"import changed_inputs\n\nchanged_inputs.{self.name}()"


CHANGES: list[Change] = []


def on(*pages: str, **until: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a change for whole pages, and up to a claim for those given by the name above."""
    parts = dict.fromkeys(pages, "") | {globals()[name]: claim for name, claim in until.items()}

    def register(change: Callable[[], None]) -> Callable[[], None]:
        clause = " ".join(change.__doc__.split()).rstrip(".")
        CHANGES.append(Change(change.__name__, clause[0].lower() + clause[1:], parts))
        return change

    return register


def _with_options(kind: type, **changed: tuple[object, Callable]) -> None:
    """Let a constructor see other options: each is changed from what is given, or its default."""
    initialise = kind.__init__

    def initialise_changed(self, *arguments, **options):
        for name, (default, function) in changed.items():
            options[name] = function(options.get(name, default))
        initialise(self, *arguments, **options)

    kind.__init__ = initialise_changed


@on(TUTORIAL, SURROGATES, READOUT, ROLLOUTS, DIFFERENTIABILITY, FASHION)
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


@on(SURROGATES)
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


@on(
    NEURON,
    TUTORIAL="train-start-driven",
    DIFFERENTIABILITY="diff-slope-proportional",
    STATE="state-stale-tau",
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
    TUTORIAL="train-start-driven",
    DIFFERENTIABILITY="diff-slope-proportional",
    STATE="state-no-reset-scores",
)
def membrane():
    """Membranes have three times the time constant."""
    import brainpy.state
    import brainunit

    _with_options(brainpy.state.LIF, tau=(5.0 * brainunit.ms, lambda tau: 3 * tau))


@on(NEURON, TUTORIAL="train-start-driven", DIFFERENTIABILITY="diff-slope-proportional")
def high_threshold():
    """Thresholds are three times as high."""
    import brainpy.state
    import brainunit

    _with_options(brainpy.state.LIF, V_th=(1.0 * brainunit.mV, lambda threshold: 3 * threshold))


@on(NEURON, TUTORIAL, DIFFERENTIABILITY="diff-slope-proportional")
def low_threshold():
    """Thresholds are a fifth as high."""
    import brainpy.state
    import brainunit

    _with_options(brainpy.state.LIF, V_th=(1.0 * brainunit.mV, lambda threshold: threshold / 5))


@on(NEURON)
def high_rest():
    """Neurons rest half a millivolt higher."""
    import brainpy.state
    import brainunit

    half = 0.5 * brainunit.mV
    _with_options(brainpy.state.LIF, V_rest=(0.0 * brainunit.mV, lambda rest: rest + half))


@on(NEURON)
def one_membrane():
    """All membranes have a time constant of 20 ms."""
    import brainpy.state
    import brainunit

    _with_options(brainpy.state.LIF, tau=(None, lambda tau: 20.0 * brainunit.ms))


@on(NEURON, READOUT, TUTORIAL="train-start-driven", DIFFERENTIABILITY="diff-slope-proportional")
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
    _with_options(brainpy.state.LIF, spk_reset=("soft", swapped.get))


@on(DIFFERENTIABILITY="diff-detached-forward")
def detached_neurons():
    """Detached neurons reset to another potential."""
    import brainunit

    import trainable_spikes

    _with_options(
        trainable_spikes.DetachedLIF,
        V_reset=(0.0 * brainunit.mV, lambda potential: potential - 0.5 * brainunit.mV),
    )


@on(DIFFERENTIABILITY, SURROGATES, ROLLOUTS="rollout-window-busy")
def nothing_detached():
    """No gradient is ever stopped."""
    import jax

    jax.lax.stop_gradient = lambda x: x


@on(SURROGATES, READOUT, TUTORIAL="train-start-driven")
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


@on(SURROGATES, READOUT)
def weak_weights():
    """Kaiming weights are a tenth as large."""
    import braintools

    draw = braintools.init.KaimingNormal.__call__
    braintools.init.KaimingNormal.__call__ = lambda self, *a, **k: 0.1 * draw(self, *a, **k)


@on(FASHION, TUTORIAL="train-network-differences")
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
        _with_options(kind, tau=slow)


@on(READOUT)
def short_memory():
    """Readouts have a tenth of the time constant."""
    import brainpy.state
    import brainunit

    _with_options(brainpy.state.LeakyRateReadout, tau=(5.0 * brainunit.ms, lambda tau: tau / 10))


@on(ROLLOUTS)
def other_loops():
    """Loops that save memory compute outputs a thousandth larger."""
    import brainstate
    import jax

    def larger(loop):
        return lambda *a, **k: jax.tree.map(lambda y: 1.001 * y, loop(*a, **k))

    transform = brainstate.transform
    checkpoint, checkpointed = transform.checkpoint, transform.checkpointed_for_loop
    transform.checkpointed_for_loop = larger(checkpointed)
    transform.checkpoint = lambda f, *a, **k: larger(checkpoint(f, *a, **k))


@on(ROLLOUTS="rollout-time-between")
def slow_loops():
    """Loops that save memory work longer on each output."""
    import brainstate
    import jax

    def longer(f):
        def step(*a):
            return jax.lax.fori_loop(0, 3000, lambda _, y: jax.numpy.sin(y), f(*a))

        return step

    transform = brainstate.transform
    checkpoint, checkpointed = transform.checkpoint, transform.checkpointed_for_loop
    transform.checkpointed_for_loop = lambda f, *a, **k: checkpointed(longer(f), *a, **k)
    transform.checkpoint = lambda f, *a, **k: checkpoint(longer(f), *a, **k)


@on(ROLLOUTS="rollout-time-between")
def nothing_recomputed():
    """Loops that should save memory store every step."""
    import brainstate

    brainstate.transform.checkpoint = lambda f, *a, **k: f
    brainstate.transform.checkpointed_for_loop = lambda f, *a, base=16, **k: (
        brainstate.transform.for_loop(f, *a, **k)
    )


@on(ROLLOUTS="rollout-runs-plain")
def all_recomputed():
    """The plain loop recomputes every step."""
    import brainstate

    for_loop, checkpoint = brainstate.transform.for_loop, brainstate.transform.checkpoint
    brainstate.transform.for_loop = lambda f, *a, **k: for_loop(checkpoint(f), *a, **k)


@on(ROLLOUTS)
def constant_memory():
    """Every rollout needs a mebibyte of temporaries."""
    import trainable_spikes

    trainable_spikes.temporary_memory = lambda *arguments: 2**20


@on(ROLLOUTS="rollout-base-plain")
def quadratic_memory():
    """Temporaries grow with the square of what they are."""
    import trainable_spikes

    temporary_memory = trainable_spikes.temporary_memory
    trainable_spikes.temporary_memory = lambda *a: temporary_memory(*a) ** 2 // 2**20


@on(ROLLOUTS="rollout-truncated-memory")
def truncated_stores_little():
    """Truncated_rollout stores what rematerialisation does."""
    import trainable_spikes

    trainable_spikes.truncated_rollout = lambda network, inputs, window: trainable_spikes.rollout(
        network, inputs, memory="remat"
    )


@on(ROLLOUTS="rollout-keys-memory")
def other_numbers():
    """No two draws of random numbers are alike."""
    import jax

    uniform = jax.random.uniform
    scales = iter(range(1, 100))
    jax.random.uniform = lambda *a, **k: uniform(*a, **k) / next(scales)


@on(ROLLOUTS="rollout-keys-memory")
def many_keys():
    """A step takes sixteen random keys."""
    import jax

    split, uniform = jax.random.split, jax.random.uniform

    def split_further(key, num=2):
        return split(key, (num, 16) if num == 1024 else num)  # one each of T steps

    def uniform_of_first(key, *arguments, **options):
        several = jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key) and key.ndim
        return uniform(key[0] if several else key, *arguments, **options)

    jax.random.split, jax.random.uniform = split_further, uniform_of_first


@on(FASHION)
def codes_swapped():
    """The latency code is a Poisson code and the other way round."""
    import brainunit

    import trainable_spikes

    latency, poisson = trainable_spikes.latency_spikes, trainable_spikes.poisson_spikes
    trainable_spikes.latency_spikes = lambda n, latest: poisson(n, max_rate=250.0 * brainunit.Hz)
    trainable_spikes.poisson_spikes = lambda n, max_rate: latency(n, latest=18.0 * brainunit.ms)


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


@on(READOUT, FASHION)
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


@on(FASHION="fashion-longer-relu")
def slow_learning():
    """Learning rates are a hundredth."""
    import braintools

    rate = braintools.optim.OptaxOptimizer.current_lr
    braintools.optim.OptaxOptimizer.current_lr = property(
        rate.fget, lambda self, value: rate.fset(self, value / 100)
    )


@on(FASHION)
def dead_units():
    """ReLU units are silent."""
    import brainstate

    brainstate.nn.ReLU.__call__ = brainstate.nn.ReLU.update = lambda self, x: 0 * x


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


@on(STATE="state-rollout-follows")
def fixed_time_step():
    """A context leaves the time step as it is."""
    import brainstate

    context = brainstate.environ.context
    brainstate.environ.context = lambda dt=None, **values: context(**values)


@on(STATE="state-trainer-held")
def trainer_follows():
    """The package's Trainer takes the time step of each call."""
    import brainstate

    import trainable_spikes

    trainable_spikes.Trainer.dt = property(
        lambda self: brainstate.environ.get_dt(), lambda self, dt: None
    )


@on(STATE="state-units-amperes")
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
