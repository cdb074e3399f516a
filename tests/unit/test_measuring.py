"""The memory count is that of the compiled function's temporaries."""

from __future__ import annotations

import brainstate
import jax
import jax.numpy as jnp

import trainable_spikes as ts


def test_a_stored_intermediate_counts_and_an_argument_does_not() -> None:
    def kept(x: jax.Array) -> jax.Array:
        return jnp.sin(x) @ x  # sin(x) has to stand somewhere for the product

    one, four = (ts.temporary_memory(kept, jnp.ones((n, n))) for n in (256, 512))
    assert 256 * 256 * 4 <= one <= 3 * 256 * 256 * 4
    assert 3.5 < four / one < 4.5
    assert ts.temporary_memory(lambda x: x + 1, jnp.ones((256, 256))) < 256 * 256 * 4


def test_measuring_compiles_without_running() -> None:
    counter = brainstate.ShortTermState(jnp.zeros(()))

    def count(x: jax.Array) -> jax.Array:
        counter.value = counter.value + 1
        return x * counter.value

    ts.temporary_memory(count, jnp.ones(3))
    assert float(counter.value) == 0
