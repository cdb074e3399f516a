"""Measure what a compiled function needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainstate


def temporary_memory(function: Callable[..., Any], *arguments: Any) -> int:
    """Return the bytes of temporaries that a function needs once compiled.

    Compiles without running. Temporaries are what grows with the length of a rollout: all
    that is stored for the backward pass, so measure the function that takes the gradient.
    The compiler's own ``peak_memory_in_bytes`` cannot serve: on a CPU it was found to follow
    the size of the arguments only.

    Parameters
    ----------
    function : callable
        A function that may read and write ``brainstate`` states.
    *arguments
        Its arguments; shapes and types matter, values do not.

    Returns
    -------
    int
        Bytes of temporaries.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> temporary_memory(lambda x: jnp.sin(x) @ x, jnp.ones((256, 256))) >= 256 * 256 * 4
    True
    """
    compiled = brainstate.transform.jit(function).compile(*arguments)
    return int(compiled.memory_analysis().temp_size_in_bytes)
