"""Plain PyTorch with the gradient written by hand: no graph over time, buffers used again."""

from __future__ import annotations

from typing import Any

import torch

import torch_session
from session import Session
from workloads import (
    GAIN,
    MEMBRANE_DECAY,
    READOUT_DECAY,
    SURROGATE_PEAK,
    SURROGATE_WIDTH,
    SYNAPSE_DECAY,
    THRESHOLD,
    Workload,
)

DIFFERENCE = (
    "The mean over time of the filtered readout is computed as one weighted sum of the spikes, "
    "which rounds differently."
)
LIBRARIES = ("torch", "numpy")


class Buffers:
    """Memory over time ``[T, B, n_hidden]``, used again by every step."""

    def __init__(self, workload: Workload) -> None:
        shape = (workload.n_steps, workload.batch_size, workload.n_hidden)
        self.current, self.potential, self.spikes = (torch.empty(shape) for _ in range(3))
        self.after = torch.empty(shape[1:])
        left = torch.arange(workload.n_steps, 0, -1, dtype=torch.float64)
        share = (1.0 - READOUT_DECAY**left) / ((1.0 - READOUT_DECAY) * workload.n_steps)
        self.share = share.float()  # of a spike at t in the mean of the filter's output


class Rollout(torch.autograd.Function):
    """From input currents ``[T, B, n_hidden]`` to spikes, summed over time with their shares.

    Works in place: the currents given, and in the backward pass potentials and spikes, are
    overwritten.
    """

    @staticmethod
    def forward(ctx: Any, drive: torch.Tensor, buffers: Buffers) -> torch.Tensor:
        current, after = None, buffers.after.zero_()
        for x, v, s in zip(
            drive.unbind(0), buffers.potential.unbind(0), buffers.spikes.unbind(0), strict=True
        ):
            if current is not None:
                x.add_(current, alpha=SYNAPSE_DECAY)
            current = x
            torch.lerp(after, x, GAIN, out=v)
            torch.ge(v, THRESHOLD, out=s)
            torch.sub(v, s, out=after)  # the threshold is 1
        ctx.buffers = buffers
        flat = buffers.spikes.view(len(buffers.share), -1)
        return (buffers.share @ flat).view(after.shape)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        # For the derivative g of a potential, the surrogate's h and a spike's share c of the score:
        # g[t] = h[t] c[t] gradient + a (1 - h[t]) g[t + 1]. All g here carry the factor GAIN.
        buffers = ctx.buffers
        slope = buffers.potential.sub_(THRESHOLD).abs_()
        slope.mul_(-SURROGATE_PEAK / SURROGATE_WIDTH).add_(SURROGATE_PEAK).clamp_(min=0.0)
        kept = torch.sub(1.0, slope, out=buffers.spikes).mul_(MEMBRANE_DECAY)
        given = slope.mul_((GAIN * buffers.share)[:, None, None]).mul_(gradient)
        later = None
        for p, k, i in zip(
            reversed(given.unbind(0)),
            reversed(kept.unbind(0)),
            reversed(buffers.current.unbind(0)),
            strict=True,
        ):
            if later is None:
                i.copy_(p)
            else:
                p.addcmul_(k, later[0])
                torch.add(p, later[1], alpha=SYNAPSE_DECAY, out=i)
            later = p, i
        return buffers.current, None


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    into, out = torch_session.linears(workload)
    buffers = Buffers(workload)
    bias_share = float(buffers.share.sum())

    def network(spikes: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        summed = Rollout.apply(into(spikes), buffers)
        scores = torch.addmm(out.bias, summed, out.weight.T, beta=bias_share)
        return scores, [buffers.spikes]

    return torch_session.session(workload, network, [*into.parameters(), *out.parameters()])
