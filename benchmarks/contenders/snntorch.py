"""snnTorch: a loop over time of ``Synaptic`` and, as the readout, ``Leaky`` without reset."""

from __future__ import annotations

import snntorch as snn
import torch
from snntorch import surrogate

import torch_session
from session import Session
from workloads import (
    MEMBRANE_DECAY,
    RAW_SURROGATE_PEAK,
    RAW_SURROGATE_WIDTH,
    RAW_THRESHOLD,
    READOUT_DECAY,
    SYNAPSE_DECAY,
    Workload,
)

DIFFERENCE = (
    "Its membrane has no gain: threshold and surrogate are scaled instead, to equal gradients. "
    "`reset_delay=False`, for a reset in the step of the spike. A potential that is still above "
    "threshold after a reset is reset once more."
)
LIBRARIES = ("snntorch", "torch", "numpy")


def triangle(above: torch.Tensor, gradient: torch.Tensor, spikes: torch.Tensor) -> torch.Tensor:
    """The surrogate's derivative, in the form that ``custom_surrogate`` documents."""
    return gradient * RAW_SURROGATE_PEAK * torch.relu(1.0 - above.abs() / RAW_SURROGATE_WIDTH)


class Network(torch.nn.Module):
    """The classifier as snnTorch's tutorials write one."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.input, self.output = torch_session.linears(workload)
        self.hidden = snn.Synaptic(
            alpha=SYNAPSE_DECAY,
            beta=MEMBRANE_DECAY,
            threshold=RAW_THRESHOLD,
            spike_grad=surrogate.custom_surrogate(triangle),
            reset_delay=False,
        )
        self.readout = snn.Leaky(beta=READOUT_DECAY, reset_mechanism="none")

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        current, potential = self.hidden.reset_mem()
        output = self.readout.reset_mem()
        spikes, outputs = [], []
        for x in inputs:
            fired, current, potential = self.hidden(self.input(x), current, potential)
            _, output = self.readout(self.output(fired), output)
            spikes.append(fired)
            outputs.append(output)
        return torch.stack(outputs).mean(dim=0), spikes


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = Network(workload)
    return torch_session.session(workload, network, network.parameters())
