"""The network against equations and adjoints written out in NumPy, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brainpy.state
import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts

Arrays = dict[str, np.ndarray]


def relu_grad(x: np.ndarray) -> np.ndarray:
    return 0.3 * np.clip(1 - np.abs(x), 0, None)


def sigmoid_grad(x: np.ndarray) -> np.ndarray:
    return np.cosh(2 * x) ** -2.0


SURROGATES = {
    "relu": (braintools.surrogate.ReluGrad(), relu_grad),
    "sigmoid": (braintools.surrogate.Sigmoid(), sigmoid_grad),
}


def filter_forward(drive: np.ndarray, decay: float) -> np.ndarray:
    """y[t] = decay y[t-1] + drive[t], from y = 0."""
    filtered = np.zeros_like(drive)
    for t in range(len(drive)):
        filtered[t] = drive[t] + (decay * filtered[t - 1] if t else 0)
    return filtered


def filter_adjoint(gradient: np.ndarray, decay: float) -> np.ndarray:
    """From dL/dy to dL/d(drive): the same filter, run backwards in time."""
    return filter_forward(gradient[::-1], decay)[::-1]


def lif_forward(
    current: np.ndarray, decay: float, threshold: float, reset: str
) -> tuple[np.ndarray, np.ndarray]:
    """Reset for the last spike, then integrate exactly with resistance 1; spike at threshold."""
    potential, spikes = np.zeros_like(current), np.zeros_like(current)
    before, spiked = np.zeros_like(current[0]), np.zeros_like(current[0])
    for t in range(len(current)):
        removed = {"soft": threshold, "hard": before}[reset] * spiked
        before = decay * (before - removed) + (1 - decay) * current[t]
        spiked = (before >= threshold).astype(float)
        potential[t], spikes[t] = before, spiked
    return potential, spikes


def lif_adjoint(
    gradient: np.ndarray,
    potential: np.ndarray,
    decay: float,
    threshold: float,
    reset: str,
    surrogate: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """From dL/d(spikes) to dL/d(current), with the surrogate for the slope of a spike.

    The reset is differentiated through the spike, not through the potential it removes.
    """
    slope = surrogate((potential - threshold) / threshold) / threshold
    removed = {"soft": np.full_like(potential, threshold), "hard": potential}[reset]
    through = np.zeros_like(gradient)  # dL/dV
    for t in reversed(range(len(gradient))):
        later = decay * (1 - removed[t] * slope[t]) * through[t + 1] if t + 1 < len(gradient) else 0
        through[t] = gradient[t] * slope[t] + later
    return (1 - decay) * through


def outer(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.einsum("tbi,tbj->ij", left, right)


def assert_close(actual: Any, expected: np.ndarray) -> None:
    expected = np.asarray(expected)
    scale = np.abs(expected).max()
    assert scale > 1e-3, "the comparison would compare zeros"
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=2e-6 * scale)


def assert_spikes_are_beyond_doubt(potential: np.ndarray, threshold: float) -> None:
    """No potential is so close to threshold that single precision could decide otherwise."""
    assert np.abs(potential - threshold).min() > 1e-4
    assert 0.03 < (potential >= threshold).mean() < 0.8


def differentiate(
    network: brainstate.nn.Module, inputs: np.ndarray, cotangent: np.ndarray
) -> tuple[Any, dict]:
    """Return outputs over time, and the gradient of their sum weighted with `cotangent`."""
    brainstate.nn.init_all_states(network, batch_size=inputs.shape[1])
    weights = network.states(brainstate.ParamState)

    @brainstate.transform.jit
    def run() -> Any:
        def weighted_sum() -> tuple[jax.Array, jax.Array]:
            outputs = ts.rollout(network, jnp.asarray(inputs))
            return jnp.sum(outputs * cotangent), outputs

        return brainstate.transform.grad(weighted_sum, weights, has_aux=True)()

    gradients, outputs = run()
    plain = jax.tree.map(
        lambda x: x.mantissa if isinstance(x, u.Quantity) else x,
        gradients,
        is_leaf=lambda x: isinstance(x, u.Quantity),
    )
    return np.asarray(outputs, np.float64), plain


def arrays(module: brainstate.nn.Linear) -> Arrays:
    return {
        name: np.asarray(x.to_decimal(u.mA) if isinstance(x, u.Quantity) else x, np.float64)
        for name, x in module.weight.value.items()
    }


def add_bias(module: brainstate.nn.Linear, bias: jax.Array) -> None:
    unit = u.get_unit(module.weight.value["bias"])
    module.weight.value = {**module.weight.value, "bias": u.maybe_decimal(bias * unit)}


# name: layer, forward pass and adjoint; tau 10 ms for the filter, 20 ms for the others.
def filtered(drive: np.ndarray, dt: float) -> tuple[np.ndarray, Callable]:
    decay = np.exp(-dt / 10)
    return filter_forward(drive, decay), lambda gradient: filter_adjoint(gradient, decay)


def membrane(drive: np.ndarray, dt: float) -> tuple[np.ndarray, Callable]:
    decay = np.exp(-dt / 20)
    return (
        filter_forward((1 - decay) * drive, decay),
        lambda gradient: (1 - decay) * filter_adjoint(gradient, decay),
    )


def spiking(drive: np.ndarray, dt: float) -> tuple[np.ndarray, Callable]:
    decay = np.exp(-dt / 20)
    potential, spikes = lif_forward(drive, decay, 1.0, "soft")
    assert_spikes_are_beyond_doubt(potential, 1.0)
    return spikes, lambda g: lif_adjoint(g, potential, decay, 1.0, "soft", relu_grad)


READOUTS = {
    "filtered": (lambda: ts.FilteredReadout(5, 2), filtered),
    "membrane": (lambda: ts.MembraneReadout(5, 2), membrane),
    "spiking": (lambda: ts.SpikingReadout(5, 2, weight_scale=4.0), spiking),
}
CASES = [
    # (readout, reset, surrogate, dt, other settings than the defaults, in ms and mV)
    ("filtered", "soft", "relu", 1.0, {}),
    ("filtered", "hard", "relu", 1.0, {}),
    ("membrane", "soft", "relu", 1.0, {}),
    ("spiking", "soft", "relu", 1.0, {}),
    ("filtered", "soft", "sigmoid", 0.5, {"tau_synapse": 3.0, "tau_membrane": 9.0}),
    ("membrane", "hard", "sigmoid", 2.0, {"threshold": 1.7}),
    ("spiking", "hard", "relu", 1.0, {"threshold": 0.6, "tau_membrane": 12.0}),
]


@pytest.mark.parametrize(("readout", "reset", "surrogate", "dt", "settings"), CASES)
def test_outputs_and_gradients_of_the_network_are_those_of_numpy(
    readout: str, reset: str, surrogate: str, dt: float, settings: dict[str, float]
) -> None:
    make_readout, read = READOUTS[readout]
    spike, slope = SURROGATES[surrogate]
    generator = np.random.default_rng(1)
    inputs = (generator.random((30, 3, 7)) < 0.3).astype(np.float32)
    cotangent = generator.normal(size=(30, 3, 2)).astype(np.float32)
    units = {"tau_synapse": u.ms, "tau_membrane": u.ms, "threshold": u.mV}
    with brainstate.environ.context(dt=dt * u.ms):
        brainstate.random.seed(3)
        network = ts.SpikingClassifier(
            *(7, 5, 2),
            readout=make_readout(),
            reset=reset,
            surrogate=spike,
            weight_scale=3.0,
            **{name: value * units[name] for name, value in settings.items()},
        )
        add_bias(network.input, jnp.linspace(-0.1, 0.2, 5))  # they start at zero
        add_bias(network.readout.weight, jnp.array([1.3, 4.0]))
        first, last = arrays(network.input), arrays(network.readout.weight)
        outputs, gradients = differentiate(network, inputs, cotangent)

    chosen = {"tau_synapse": 5.0, "tau_membrane": 20.0, "threshold": 1.0} | settings
    synapse, leak = np.exp(-dt / chosen["tau_synapse"]), np.exp(-dt / chosen["tau_membrane"])
    threshold = chosen["threshold"]
    current = filter_forward(inputs @ first["weight"] + first["bias"], synapse)
    potential, hidden = lif_forward(current, leak, threshold, reset)
    assert_spikes_are_beyond_doubt(potential, threshold)
    expected, adjoint = read(hidden @ last["weight"] + last["bias"], dt)
    assert_close(outputs, expected)

    to_drive = adjoint(np.asarray(cotangent, np.float64))
    to_current = lif_adjoint(to_drive @ last["weight"].T, potential, leak, threshold, reset, slope)
    to_input = filter_adjoint(to_current, synapse)
    assert_close(gradients["readout", "weight", "weight"]["weight"], outer(hidden, to_drive))
    assert_close(gradients["readout", "weight", "weight"]["bias"], to_drive.sum(axis=(0, 1)))
    assert_close(gradients["input", "weight"]["weight"], outer(inputs, to_input))
    assert_close(gradients["input", "weight"]["bias"], to_input.sum(axis=(0, 1)))


@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.usefixtures("dt")
def test_neuron_alone_follows_the_numpy_membrane_and_its_adjoint(reset: str) -> None:
    neuron = brainpy.state.LIF(4, tau=20.0 * u.ms, spk_reset=reset)
    generator = np.random.default_rng(0)
    current = generator.normal(1.5, 4, (40, 2, 4))
    cotangent = generator.normal(size=current.shape)
    decay = np.exp(-1 / 20)

    @jax.jit
    def run(drive: jax.Array) -> Any:
        def weighted(drive: jax.Array) -> Any:
            brainstate.nn.init_all_states(neuron, batch_size=2)
            step = lambda x: (neuron.update(x * u.mA), neuron.V.value.to_decimal(u.mV))  # noqa: E731
            spikes, potential = brainstate.transform.for_loop(step, drive)
            return jnp.sum(spikes * cotangent), (spikes, potential)

        return jax.grad(weighted, has_aux=True)(drive)

    gradient, (spikes, potential) = run(jnp.asarray(current, jnp.float32))
    expected_potential, expected_spikes = lif_forward(current, decay, 1.0, reset)
    assert_spikes_are_beyond_doubt(expected_potential, 1.0)
    np.testing.assert_array_equal(spikes, expected_spikes)
    assert_close(potential, expected_potential)
    expected = lif_adjoint(cotangent, expected_potential, decay, 1.0, reset, relu_grad)
    assert_close(gradient, expected)


@pytest.mark.usefixtures("dt")
def test_synapse_of_the_network_is_a_sum_of_exponentials_from_zero_current() -> None:
    # Closed form, not a recursion: each input leaves exp(-(t - s) / tau) behind.
    synapse = ts.SpikingClassifier(3, 4, 2, tau_synapse=7.0 * u.ms).synapse
    brainstate.nn.init_all_states(synapse, batch_size=2)
    drive = np.random.default_rng(0).normal(size=(25, 2, 4)).astype(np.float32)
    current = brainstate.transform.for_loop(lambda x: synapse.update(x * u.mA), jnp.asarray(drive))
    lag = np.subtract.outer(np.arange(25), np.arange(25))
    kernel = np.where(lag >= 0, np.exp(-lag / 7), 0)
    assert_close(current.to_decimal(u.mA), np.einsum("ts,sbi->tbi", kernel, drive))


@pytest.mark.usefixtures("dt")
def test_weights_start_kaiming_normal_times_their_scale_with_zero_bias() -> None:
    def weights(scale: float) -> Arrays:
        brainstate.random.seed(0)
        return arrays(ts.SpikingClassifier(400, 100, 2, weight_scale=scale).input)

    one, three = weights(1.0), weights(3.0)
    # Variance 2 / n_in; 40,000 draws have a standard error of 0.35 % of the deviation.
    assert one["weight"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    assert abs(one["weight"].mean()) < 5 * np.sqrt(2 / 400) / 200
    np.testing.assert_allclose(three["weight"], 3 * one["weight"], rtol=1e-6)
    assert not one["bias"].any()
    assert not three["bias"].any()


@pytest.mark.usefixtures("dt")
def test_any_layer_from_hidden_spikes_to_outputs_can_be_the_readout() -> None:
    readout = brainpy.state.LeakyRateReadout(6, 3, tau=10.0 * u.ms)
    network = ts.SpikingClassifier(8, 6, 3, readout=readout)
    assert network.readout is readout
    brainstate.nn.init_all_states(network, batch_size=4)
    assert network.update(jnp.ones((4, 8))).shape == (4, 3)


@pytest.mark.parametrize("shape", [(7,), (4, 6), (4, 8), (2, 4, 7)])
@pytest.mark.usefixtures("dt")
def test_step_of_the_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    network = ts.SpikingClassifier(7, 5, 2)
    with pytest.raises(ValueError, match=r"expected .* \[B, 7\], got .*loop over time with `rol"):
        network.update(jnp.ones(shape))


@pytest.mark.usefixtures("dt")
def test_unknown_reset_is_refused() -> None:
    with pytest.raises(ValueError, match='expected reset to be "soft" or "hard", got \'none\''):
        ts.SpikingClassifier(7, 5, 2, reset="none")
