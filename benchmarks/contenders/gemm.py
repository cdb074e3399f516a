"""No contender: only the matrix products of a step, on dense input, to compare its time with."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from session import Session
from workloads import Workload

DIFFERENCE = "Only the matrix products of a step: no neurons, no loss, no Adam."
LIBRARIES = ("jax",)


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    weights = {name: jnp.asarray(array) for name, array in workload.weights.items()}
    rows = workload.n_steps * workload.batch_size
    random = np.random.default_rng(0)

    def dense(columns: int) -> jax.Array:
        return jnp.asarray(random.standard_normal((rows, columns), dtype=np.float32))

    currents, hidden, outputs = (dense(n) for n in (workload.n_hidden,) * 2 + (workload.n_out,))

    @jax.jit
    def products(x: jax.Array, d_current: jax.Array, s: jax.Array, d_output: jax.Array) -> Any:
        forward = x @ weights["input_weight"], s @ weights["output_weight"]
        backward = x.T @ d_current, s.T @ d_output, d_output @ weights["output_weight"].T
        return forward, backward

    def convert(spikes: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
        return jnp.asarray(spikes.reshape(rows, -1), jnp.float32), labels

    def step(x: jax.Array, labels: np.ndarray) -> jax.Array:
        _, backward = jax.block_until_ready(products(x, currents, hidden, outputs))
        return backward[0][0, 0]

    def nothing(*_: Any) -> Any:
        return 0.0, []

    return Session(workload, convert, step, forward=nothing, gradients=nothing, count=lambda x: 0)


def limits(workload: Workload, repeats: int = 7) -> dict[str, float]:
    """Speed of the input layer's two products, in GFLOP/s, and of a copy, in GB/s."""
    session = build(workload)
    x = session.batches[0][0]
    weight = jnp.asarray(workload.weights["input_weight"])
    d_current = jnp.ones((len(x), workload.n_hidden), jnp.float32)
    work = 2e-9 * len(x) * workload.n_in * workload.n_hidden
    large = jnp.ones(32 * 2**20, jnp.float32)  # 128 MiB, more than any cache
    copied = 2e-9 * large.nbytes  # read and written
    timed = {
        "forward_gflops": (work, jax.jit(jnp.matmul), (x, weight)),
        "weight_gradient_gflops": (work, jax.jit(lambda a, b: a.T @ b), (x, d_current)),
        "copy_gbs": (copied, jax.jit(lambda a: a + 1), (large,)),
    }
    return {name: amount / _median_time(*call, repeats) for name, (amount, *call) in timed.items()}


def _median_time(function: Any, arguments: tuple[Any, ...], repeats: int) -> float:
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:]))  # the first one compiles
