"""How changes are registered, for which pages, and what they do to constructors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NEURON = "tutorials/a-first-neuron"
SYNAPSES = "tutorials/synapses-and-projections"
BALANCE = "tutorials/a-balanced-network"
TUTORIAL = "tutorials/train-a-spiking-network"
SURROGATES = "howto/surrogate-gradients"
READOUT = "howto/trainable-readout"
ROLLOUTS = "howto/long-rollouts"
DIFFERENTIABILITY = "concepts/differentiability"
STATE = "concepts/state-time-and-units"
FASHION = "gallery/fashion-mnist"
IMAGES = "tutorials/train-on-real-images"
SILENT = "howto/wake-a-silent-network"
FAST = "howto/make-training-fast"
TIME = "concepts/where-the-time-goes"
BENCHMARK = "gallery/benchmark"


@dataclass(frozen=True)
class Change:
    """A function of this package: its name with its module, its effect in words, and where."""

    name: str
    clause: str
    until: dict[str, str]  # by page, the last name that is measured; empty for the whole page

    @property
    def first_cell(self) -> str:
        module = self.name.partition(".")[0]
        return f"import changed_inputs.{module}\n\nchanged_inputs.{self.name}()"


CHANGES: list[Change] = []


def on(*pages: str, **until: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a change for whole pages, and up to a claim for those given by the name above."""
    parts = dict.fromkeys(pages, "") | {globals()[name]: claim for name, claim in until.items()}

    def register(change: Callable[[], None]) -> Callable[[], None]:
        clause = " ".join(change.__doc__.split()).rstrip(".")
        first = clause.split()[0]
        # Not a name, as ReLU is.
        words = clause[0].lower() + clause[1:] if first == first.capitalize() else clause
        module = change.__module__.rpartition(".")[2]
        CHANGES.append(Change(f"{module}.{change.__name__}", words, parts))
        return change

    return register


def with_options(kind: type, **changed: tuple[object, Callable]) -> None:
    """Let a constructor see other options: each is changed from what is given, or its default."""
    initialise = kind.__init__

    def initialise_changed(self, *arguments, **options):
        for name, (default, function) in changed.items():
            options[name] = function(options.get(name, default))
        initialise(self, *arguments, **options)

    kind.__init__ = initialise_changed
