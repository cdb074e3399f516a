"""Changes of loops, of their memory and their time."""
# mypy: ignore-errors

from __future__ import annotations

from changed_inputs.registry import ROLLOUTS, on


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


@on(ROLLOUTS="rollout-runs[plain]")
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
