"""Norse: ``LIFCell`` step by step, or ``LIF`` over sequences where that is faster."""

from __future__ import annotations

import torch
from norse.torch import LIF, LIFCell, LIFParameters
from norse.torch.functional.filter import exp_filter_step
from norse.torch.module.exp_filter import ExpFilter

import torch_session
from session import Session
from workloads import (
    GAIN,
    READOUT_DECAY,
    SURROGATE_PEAK,
    SYNAPSE_DECAY,
    TAU_READOUT,
    THRESHOLD,
    Workload,
)

DIFFERENCE = (
    "A spike resets the potential to rest, no soft reset is offered. Its Euler steps get the "
    "inverse time constants with which they equal the exponential ones."
)
LIBRARIES = ("norse", "torch", "numpy")
STEP = 1e-3  # its default time step, in s
# Its modules over sequences take time quadratic in T: they are the faster ones only where the
# hidden layer's spikes over time are fewer than about this.
LARGEST_SEQUENCE = 500_000


class Network(torch.nn.Module):
    """The classifier."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.input = torch_session.linears(workload)[0]
        self.readout = ExpFilter(
            workload.n_hidden, workload.n_out, tau_filter_inv=1.0 / (TAU_READOUT * STEP), dt=STEP
        )
        torch_session.set_weights(self.readout.linear, workload, "output")
        parameters = LIFParameters(
            tau_syn_inv=torch.as_tensor((1.0 - SYNAPSE_DECAY) / STEP),
            tau_mem_inv=torch.as_tensor(GAIN / STEP),
            v_th=torch.as_tensor(THRESHOLD),
            method="triangle",
            alpha=SURROGATE_PEAK,
        )
        entries = workload.n_steps * workload.batch_size * workload.n_hidden
        self.sequence = entries <= LARGEST_SEQUENCE
        self.hidden = (LIF if self.sequence else LIFCell)(parameters, dt=STEP)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        if self.sequence:
            fired, _ = self.hidden(self.input(inputs))
            return self.readout(fired).mean(dim=0), [fired]
        state, output = None, None
        spikes, outputs = [], []
        for x in inputs:
            fired, state = self.hidden(self.input(x), state)
            y = self.readout.linear(fired)
            output = y if output is None else exp_filter_step(output, y, READOUT_DECAY)
            spikes.append(fired)
            outputs.append(output)
        return torch.stack(outputs).mean(dim=0), spikes


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = Network(workload)
    return torch_session.session(workload, network, network.parameters())
