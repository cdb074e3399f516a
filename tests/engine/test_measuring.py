"""The call by which a page says what it measured: one value, one a seed, or a family of cases."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

from run.shell.measuring import MIME, Measured, measure, measured


def test_a_number_is_one_value_without_a_unit():
    assert measured("a-loss", 0.5) == [Measured("a-loss", "", [0.5], [], "")]


def test_quantities_of_several_seeds_come_in_the_unit_of_the_first():
    (found,) = measured("rate", [1.0 * u.mV, 0.002 * u.volt], seeds=[3, 4])
    assert (found.unit, found.seeds) == ("mV", [3, 4])
    assert found.values == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize("value", [np.array([1.0, 2.0]), jnp.array([[1.0, 2.0]]), (1, [2])])
def test_arrays_and_nested_sequences_have_a_value_a_seed(value):
    assert measured("a", value, seeds=[0, 1])[0].values == [1.0, 2.0]


def test_a_mapping_is_a_family_with_a_value_for_each_case():
    found = measured("speed", {"small": [1, 2], "wide": 3 * u.ms}, seeds=[0, 1])
    assert [(each.name, each.case, each.values, each.unit) for each in found] == [
        ("speed", "small", [1.0, 2.0], ""),
        ("speed", "wide", [3.0], "ms"),
    ]


def test_what_is_measured_is_published_for_the_build(monkeypatch):
    published = []
    monkeypatch.setattr("IPython.display.publish_display_data", published.append)
    measure("speed", {"small": 1.0})
    assert published[0][MIME] == [
        {"name": "speed", "case": "small", "values": [1.0], "seeds": [], "unit": ""}
    ]


@pytest.mark.parametrize(
    ("name", "value", "seeds", "message"),
    [
        ("a", True, [], "got a truth value"),
        ("a", np.bool_(True), [], "got a truth value"),
        ("a", jnp.array([True]), [], "got a truth value"),
        ("a", [1.0, 1.0 * u.mV], [0, 1], "one unit, or none"),
        ("a", [1.0 * u.mV, 1.0], [0, 1], "one unit, or none"),
        ("a", [1.0, 2.0], [], "expected a seed for each of 2 values"),
        ("a", {"b": [1.0, 2.0]}, [0], r"'a\[b\]'.*expected a seed for each of 2 values"),
        ("a", [], [], "got an empty sequence"),
        ("a", {}, [], "at least one case"),
        ("A Name", 1.0, [], "expected a name such as"),
    ],
)
def test_a_wrong_call_says_what_to_do(name, value, seeds, message):
    with pytest.raises((TypeError, ValueError), match=message):
        measured(name, value, seeds=seeds)
