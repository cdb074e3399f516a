"""The benchmark's parts: same data for all, right statistics, and a run of ours in small."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import summary
import workloads

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"
CONTENDERS = sorted((FOLDER / "contenders").glob("*.py"))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    pixels = random.random((60_000, 4)).astype(np.float32)
    workloads.save_images(folder, pixels, random.integers(0, 10, 60_000))
    return folder


def test_a_workload_is_the_same_whenever_it_is_made():
    first, again = (workloads.digest(workloads.workload("tiny")) for _ in range(2))
    assert first == again
    assert first != workloads.digest(workloads.workload({"name": "tiny", "seed": 1}))
    # Another NumPy that draws other numbers would compare contenders on other data.
    assert first == "6fef829444087795cf3a3c4a298bd4e31434f8afce97ef3ea1bb608e0c9f2df6"


@pytest.mark.parametrize("name", ["W1", "W2", "base"])
def test_hidden_neurons_start_at_5_to_20_hz(name):
    _, rate = workloads.simulate(workloads.workload(name))
    assert 5 <= rate <= 20


def test_density_is_as_asked_for():
    made = workloads.workload("base")
    assert made.density == pytest.approx(workloads.BASE.density, rel=0.05)
    assert {batch.dtype for batch in made.batches} == {np.dtype(np.uint8)}


def test_unknown_sizes_are_refused():
    with pytest.raises(ValueError, match="steps"):
        workloads.sizes({"name": "W1", "steps": 3})


def test_pixels_spike_once_the_brighter_the_earlier():
    pixels = np.array([[255, 128, 1, 0]], np.uint8)
    spikes = workloads.latency_spikes(pixels, 40)
    assert spikes.sum() == 3
    assert spikes[:, 0].argmax(axis=0).tolist() == [0, 14, 29, 0]
    assert spikes[:, 0, 3].sum() == 0


def test_an_epoch_shows_each_image_at_most_once(images):
    size = workloads.Sizes("F", 30, 256, 4, 3, 10, 0.0)
    in_epoch = workloads.N_TRAIN // 256
    (early, _), *_ = workloads.image_batches(images, size, 0, 1)
    (late, _), *_ = workloads.image_batches(images, size, in_epoch, 1)
    (same, _), *_ = workloads.image_batches(images, size, 0, 1)
    assert np.array_equal(early, same)
    assert not np.array_equal(early, late)


def test_validation_covers_the_held_out_images_once(images):
    size = workloads.Sizes("F", 30, 256, 4, 3, 10, 0.0)
    labels = np.concatenate([known for _, known in workloads.validation_batches(images, size)])
    assert (labels >= 0).sum() == workloads.N_VALIDATION
    assert len(labels) % 256 == 0


def test_slope_and_error_of_a_known_fit():
    x = np.array([1.0, 2.0, 4.0, 8.0])
    slope, error = summary.log_log_slope(x, 3 * x**1.5)
    assert slope == pytest.approx(1.5)
    assert error == pytest.approx(0, abs=1e-7)
    # By hand: the residuals of log y = (0, 1, 0) over log x = (0, 1, 2) times log 2.
    slope, error = summary.log_log_slope([1, 2, 4], [1, 2, 1])
    assert slope == pytest.approx(0, abs=1e-12)
    assert error == pytest.approx(np.sqrt((2 / 3) / 1 / 2))
    assert np.isnan(summary.log_log_slope([1, 2], [1, 2])[1])


def test_ratios_pair_blocks_of_the_same_round():
    reference = {0: 10.0, 1: 20.0, 2: 10.0}
    times = {0: 20.0, 1: 40.0, 3: 999.0}
    assert summary.paired_ratios(times, reference) == (2.0, 2.0, 2.0)
    assert summary.paired_ratios({3: 1.0}, reference) is None


@pytest.mark.parametrize(
    ("busy", "own", "share"),
    [
        (0.6, 0.6, 0.0),  # the worker alone, on both cores
        (0.6, 0.3, 0.5),  # somebody else had the other core
        (0.35, 0.3, 1 / 12),  # a little of it
        (0.29, 0.3, 0.0),  # counters tick in hundredths of a second
    ],
)
def test_what_others_used_of_the_cores(busy, own, share):
    found = summary.foreign_share(busy, own, seconds=0.3, cores=2)
    assert found == pytest.approx(share)
    assert summary.is_quiet(found) == (share <= 0.1)


def test_blocks_are_whole_passes_of_about_the_wanted_length():
    assert summary.block_steps(0.01, 1, 0.3) == 30
    assert summary.block_steps(0.01, 4, 0.3) == 32
    assert summary.block_steps(5.0, 4, 0.3) == 4


@pytest.mark.parametrize("path", CONTENDERS, ids=lambda path: path.stem)
def test_contenders_say_how_they_differ_and_are_pinned(path):
    declared = {
        node.targets[0].id: node.value
        for node in ast.parse(path.read_text(encoding="utf8")).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert isinstance(ast.literal_eval(declared["DIFFERENCE"]), str)
    if path.stem in ("reference", "trainer", "remat", "events", "dense"):
        return  # what they share is in ours.py
    pinned = {
        line.split("==")[0]
        for file in ("bench-jax", "bench-torch")
        for line in (ROOT / f"requirements/{file}.txt").read_text(encoding="utf8").splitlines()
        if "==" in line
    }
    assert set(ast.literal_eval(declared["LIBRARIES"])) <= pinned


def test_a_small_run_of_ours(tmp_path):
    output = tmp_path / "benchmark.json"
    command = [sys.executable, FOLDER / "compare.py", "--quick", "--workloads", "tiny"]
    command += ["--contenders", "reference", "trainer", "--output", output]
    command += ["--no-growth", "--no-accuracy"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, check=True, env=environment, cwd=ROOT, timeout=300)
    record = json.loads(output.read_text(encoding="utf8"))
    reference, trainer = record["rows"]
    assert reference["ratio"] == 1
    assert reference["ms"] > 0
    assert trainer["ms"] > 0
    assert record["provenance"]["missing"] == []
    loss, rate = workloads.simulate(workloads.workload("tiny"))
    for row in (reference, trainer):
        assert row["loss"] == pytest.approx(loss, rel=1e-5)
        assert row["rate_hz"] == pytest.approx(rate, rel=0.05)
    assert trainer["gradient_norm"] == pytest.approx(reference["gradient_norm"], rel=1e-4)
