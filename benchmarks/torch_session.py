"""What the contenders in PyTorch share: the weights, the training step, and counting spikes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from session import Session
from workloads import LEARNING_RATE, RAW_SURROGATE_PEAK, RAW_SURROGATE_WIDTH, Workload

torch.set_num_threads(2)


def linears(workload: Workload) -> tuple[torch.nn.Linear, torch.nn.Linear]:
    """The two layers of weights, with the given weights."""
    layers = []
    for name, shape in (
        ("input", (workload.n_in, workload.n_hidden)),
        ("output", (workload.n_hidden, workload.n_out)),
    ):
        layer = torch.nn.Linear(*shape)
        set_weights(layer, workload, name)
        layers.append(layer)
    return layers[0], layers[1]


def set_weights(layer: torch.nn.Linear, workload: Workload, name: str) -> None:
    """Give a layer the weights called `name`, which PyTorch wants transposed."""
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(workload.weights[f"{name}_weight"].T))
        layer.bias.copy_(torch.from_numpy(workload.weights[f"{name}_bias"]))


def convert(spikes: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Spikes as float32 and labels as int64."""
    return torch.from_numpy(spikes).float(), torch.from_numpy(labels).long()


class RawSurrogate(torch.autograd.Function):
    """Step function with the triangular derivative, for potentials without the membrane's gain."""

    @staticmethod
    def forward(ctx: Any, above: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(above)
        return (above >= 0).float()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (above,) = ctx.saved_tensors
        triangle = (1.0 - above.abs() / RAW_SURROGATE_WIDTH).clamp_(min=0.0)
        return gradient * triangle.mul_(RAW_SURROGATE_PEAK)


def session(workload: Workload, network: Any, parameters: Iterable[torch.nn.Parameter]) -> Session:
    """A session of ``network(spikes)``, which gives scores and the hidden spikes."""
    weights = list(parameters)
    optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE, fused=True)
    cross_entropy = torch.nn.functional.cross_entropy

    def step(spikes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(network(spikes)[0], labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def gradients(spikes: torch.Tensor, labels: torch.Tensor) -> tuple[Any, list[Any]]:
        loss = cross_entropy(network(spikes)[0], labels)
        return loss.detach(), list(torch.autograd.grad(loss, weights))

    @torch.no_grad()
    def forward(spikes: torch.Tensor) -> torch.Tensor:
        return network(spikes)[0]

    @torch.no_grad()
    def count(spikes: torch.Tensor) -> float:
        return float(sum(s.sum(dtype=torch.float64) for s in network(spikes)[1]))

    return Session(workload, convert, step, forward, gradients, count)
