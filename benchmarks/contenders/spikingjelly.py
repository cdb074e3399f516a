"""SpikingJelly: ``CUBALIFNode`` in single-step mode, in multi-step mode where that is faster."""

from __future__ import annotations

from typing import Any

import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate

import torch_session
from session import Session
from workloads import (
    MEMBRANE_DECAY,
    RAW_THRESHOLD,
    READOUT_DECAY,
    SYNAPSE_DECAY,
    Workload,
)

DIFFERENCE = (
    "Its membrane has no gain: threshold and surrogate are scaled instead, to equal gradients. "
    "The readout is `NonSpikingLIFNode`, scaled to the filter's height."
)
LIBRARIES = ("spikingjelly", "torch", "numpy")
# Without its fused kernels for GPUs the multi-step mode takes time quadratic in T: it is the
# faster one only where the hidden layer's spikes over time are fewer than about this.
LARGEST_MULTI_STEP = 500_000


class Triangle(surrogate.SurrogateFunctionBase):
    """The surrogate, in the form that SpikingJelly documents for one's own."""

    @staticmethod
    def spiking_function(x: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch_session.RawSurrogate.apply(x)


class Network(torch.nn.Module):
    """The classifier."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.input, self.output = (
            layer.Linear(a, b)
            for a, b in (
                (workload.n_in, workload.n_hidden),
                (workload.n_hidden, workload.n_out),
            )
        )
        torch_session.set_weights(self.input, workload, "input")
        torch_session.set_weights(self.output, workload, "output")
        self.hidden = neuron.CUBALIFNode(
            c_decay=SYNAPSE_DECAY,
            v_decay=MEMBRANE_DECAY,
            v_threshold=RAW_THRESHOLD,
            v_reset=None,
            surrogate_function=Triangle(),
        )
        self.readout = neuron.NonSpikingLIFNode(tau=1.0 / (1.0 - READOUT_DECAY), decode="mean-mem")
        entries = workload.n_steps * workload.batch_size * workload.n_hidden
        self.multi_step = entries <= LARGEST_MULTI_STEP
        functional.set_step_mode(self, "m" if self.multi_step else "s")

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        functional.reset_net(self)
        scores, spikes = (self.all_at_once if self.multi_step else self.by_step)(inputs)
        return scores / (1.0 - READOUT_DECAY), spikes

    def all_at_once(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        spikes = self.hidden(self.input(inputs))
        return self.readout(self.output(spikes)), [spikes]

    def by_step(self, inputs: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        self.readout.v = torch.zeros(())
        spikes, outputs = [], []
        for x in inputs:
            spikes.append(self.hidden(self.input(x)))
            self.readout.neuronal_charge(self.output(spikes[-1]))
            outputs.append(self.readout.v)
        return torch.stack(outputs).mean(dim=0), spikes


def build(workload: Workload) -> Session:
    """Make the session, see :mod:`worker`."""
    network = Network(workload)
    return torch_session.session(workload, network, network.parameters())
