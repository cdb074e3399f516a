"""Data sets: what they promise about rates, timing, classes, files and checksums."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import math
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import trainable_spikes as ts
from trainable_spikes import data

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


# The container


def test_dataset_refuses_no_samples_and_unequal_lengths() -> None:
    with pytest.raises(ValueError, match=r"expected at least one sample, got none: check the sel"):
        ts.Dataset(jnp.zeros((0, 5)), jnp.zeros(0, int))
    with pytest.raises(ValueError, match=r"one target a sample, got 5 samples and 4 targets: sam"):
        ts.Dataset(jnp.zeros((5, 4, 3)), jnp.zeros(4, int))
    with pytest.raises(ValueError, match=r"expected inputs of shape \[N, ...\].* got \(5,\) and"):
        ts.Dataset(jnp.zeros(5), jnp.zeros(5, int))


def test_integer_labels_make_classification_and_nothing_else_does() -> None:
    inputs = jnp.zeros((4, 3))
    assert ts.Dataset(inputs, np.array([0, 1, 1, 0])).is_classification
    assert not ts.Dataset(inputs, np.zeros(4)).is_classification
    assert not ts.Dataset(inputs, np.zeros((4, 2), int)).is_classification


def test_split_gives_disjoint_parts_with_their_targets_and_repeats() -> None:
    everything = ts.Dataset(jnp.arange(50.0)[:, None], jnp.arange(50))
    parts = everything.split(20, 15, 5, seed=3)
    assert [len(part) for part in parts] == [20, 15, 5]
    seen = np.concatenate([part.targets for part in parts])
    assert len(set(seen.tolist())) == 40
    assert (np.diff(seen) != 1).any()  # shuffled, not cut in order
    for part in parts:
        np.testing.assert_array_equal(part.inputs[:, 0], part.targets)
    again, other = everything.split(20, seed=3)[0], everything.split(20, seed=4)[0]
    np.testing.assert_array_equal(again.targets, parts[0].targets)
    assert (other.targets != parts[0].targets).any()


@pytest.mark.parametrize("sizes", [(-1, 5), (0, 5)])
def test_parts_without_samples_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected size to be an integer of at least 1, got"):
        ts.Dataset(jnp.zeros((9, 2)), jnp.zeros(9, int)).split(*sizes, seed=0)


@pytest.mark.parametrize("alpha", [0.0, -1.0])
def test_smoothness_that_no_manifold_has_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="expected alpha above zero, got"):
        ts.randman(10, alpha=alpha, seed=0)


def test_split_into_more_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at most 9 samples together, got 6 \+ 4 = 10: ask for"):
        ts.Dataset(jnp.zeros((9, 2)), jnp.zeros(9, int)).split(6, 4, seed=0)


# Made-up data


@pytest.mark.usefixtures("dt")
def test_random_labels_have_the_rate_asked_for_and_both_classes() -> None:
    made = ts.random_labels(200, 100, 50, 3, rate=20.0 * u.Hz, seed=1)
    assert made.inputs.shape == (200, 100, 50)
    assert made.inputs.dtype == jnp.float32
    assert set(np.unique(made.inputs)) == {0.0, 1.0}
    n = made.inputs.size
    assert abs(float(made.inputs.mean()) - 0.02) < 4.5 * math.sqrt(0.02 * 0.98 / n)
    share = np.bincount(made.targets, minlength=3) / 200
    assert np.abs(share - 1 / 3).max() < 4.5 * math.sqrt(2 / 9 / 200)


@pytest.mark.usefixtures("dt")
def test_random_labels_tell_nothing_about_the_spikes() -> None:
    made = ts.random_labels(400, 50, 40, rate=50.0 * u.Hz)
    counts = np.asarray(made.inputs.sum(axis=1))  # [N, n_in], 2.5 spikes each
    zero, one = counts[made.targets == 0], counts[made.targets == 1]
    error = np.sqrt(zero.var(axis=0) / len(zero) + one.var(axis=0) / len(one))
    z = (zero.mean(axis=0) - one.mean(axis=0)) / error
    assert np.abs(z).max() < 4.5
    assert 0.6 < z.std() < 1.4


@pytest.mark.usefixtures("dt")
def test_rate_patterns_raise_half_of_the_inputs_of_each_class() -> None:
    made = ts.rate_patterns(400, 2, 20, 100, 10.0 * u.Hz, 60.0 * u.Hz, seed=5)
    assert made.inputs.shape == (400, 100, 20)
    halves = []
    for label in (0, 1):
        mine = np.asarray(made.inputs)[np.asarray(made.targets) == label]
        rate = mine.mean(axis=(0, 1))  # by input, a spike a step
        n = mine.shape[0] * mine.shape[1]
        raised = rate > 0.035
        assert raised.sum() == 10
        for chance, measured in ((0.06, rate[raised]), (0.01, rate[~raised])):
            assert np.abs(measured - chance).max() < 4.5 * math.sqrt(chance / n)
        halves.append(raised)
    assert (halves[0] != halves[1]).any()


@pytest.mark.usefixtures("dt")
def test_rate_patterns_of_one_task_share_rates_and_no_spikes() -> None:
    def raised(task_seed: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        made = ts.rate_patterns(
            *(100, 1, 30, 100, 10.0 * u.Hz, 90.0 * u.Hz), task_seed=task_seed, seed=seed
        )
        return np.asarray(made.inputs.mean(axis=(0, 1)) > 0.05), np.asarray(made.inputs)

    one, spikes = raised(0, 1)
    same_task, other_spikes = raised(0, 2)
    other_task, _ = raised(7, 1)
    np.testing.assert_array_equal(one, same_task)
    assert (spikes != other_spikes).any()
    assert (one != other_task).any()


@pytest.mark.usefixtures("dt")
@pytest.mark.parametrize(
    "make",
    [partial(ts.random_labels, 8), partial(ts.rate_patterns, 8), partial(ts.randman, 8, alpha=2.0)],
)
def test_made_up_data_repeat_with_their_seed_and_change_with_it(make: Callable) -> None:
    one, same, other = make(seed=1), make(seed=1), make(seed=2)
    np.testing.assert_array_equal(one.inputs, same.inputs)
    np.testing.assert_array_equal(one.targets, same.targets)
    assert (np.asarray(one.inputs) != np.asarray(other.inputs)).any()


def test_randman_spikes_once_an_input_in_the_first_half() -> None:
    made = ts.randman(200, 4, n_in=6, n_steps=50, alpha=2.0, seed=0)
    np.testing.assert_array_equal(made.inputs.sum(axis=1), 1)
    steps = np.asarray(made.inputs.argmax(axis=1))
    assert steps.max() < 25
    assert steps.min() == 0
    assert set(np.unique(made.targets)) == {0, 1, 2, 3}


def manifold(x: np.ndarray, a: np.ndarray, b: np.ndarray, phi: np.ndarray, alpha: float) -> float:
    """prod_d sum_k a s_k sin(2 pi (k x_d b + phi)) with s_k = 1 / (k + 1)^alpha, a_0 = 0."""
    product = 1.0
    for d in range(len(x)):
        terms = (
            math.sin(2 * math.pi * (k * x[d] * b[d, k] + phi[d, k])) * a[d, k] / (k + 1) ** alpha
            for k in range(1, a.shape[1])
        )
        product *= sum(terms)
    return product


def test_randman_is_the_published_formula() -> None:
    # Loops over everything, from the formula in the paper's NumPy code; the order of the
    # random draws is the only thing taken from the package.
    n_samples, n_classes, n_in, n_steps, dimension, alpha = 25, 2, 3, 80, 2, 2.0
    made = ts.randman(*(n_samples, n_classes, n_in, n_steps, dimension, alpha), task_seed=4, seed=9)
    task, sample = np.random.default_rng(4), np.random.default_rng(9)
    labels = sample.integers(n_classes, size=n_samples)
    points = sample.random((n_samples, dimension))
    n_terms = 32  # ceil(0.001 ** (-1 / 2))
    expected = np.zeros((n_samples, n_steps, n_in))
    for label in range(n_classes):
        a, b, phi = task.random((3, n_in, dimension, n_terms))
        reference = task.random((1000, dimension))

        for m in range(n_in):
            y = partial(manifold, a=a[m], b=b[m], phi=phi[m], alpha=alpha)
            scale = [y(x) for x in reference]
            low, high = min(scale), max(scale)
            for n in range(n_samples):
                if labels[n] == label:
                    position = (y(points[n]) - low) / (high - low)
                    time = min(max(position, 0.0), 1.0) * 0.5 * (n_steps - 1)
                    expected[n, math.floor(time), m] = 1
    np.testing.assert_array_equal(made.targets, labels)
    np.testing.assert_array_equal(made.inputs, expected)


def test_randman_samples_of_one_task_lie_on_one_manifold() -> None:
    # On a smooth curve in 5 dimensions neighbours are near: the nearest of 400 training
    # points tells a test point's class. On the manifolds of another task it cannot.
    def times(task_seed: int, seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        made = ts.randman(n, 2, 5, 200, alpha=2.0, task_seed=task_seed, seed=seed)
        return np.asarray(made.inputs.argmax(axis=1)), np.asarray(made.targets)

    def accuracy(task_seed: int) -> float:
        (points, labels), (unseen, truth) = times(0, 1, 400), times(task_seed, 2, 100)
        distance = np.abs(unseen[:, None] - points[None]).sum(axis=-1)
        return float((labels[distance.argmin(axis=1)] == truth).mean())

    assert accuracy(0) > 0.9
    assert accuracy(1) < 0.8


# Images


def as_bytes(images: object) -> list[bytes]:
    return [image.tobytes() for image in np.rint(np.asarray(images) * 255).astype(np.uint8)]


@pytest.fixture(scope="module")
def debians_fashion_mnist() -> tuple[ts.Dataset, ts.Dataset]:
    if not DEBIAN.is_dir():
        pytest.skip(
            f"NOT TESTED: no full Fashion-MNIST in {DEBIAN}: apt-get install dataset-fashion-mnist"
        )
    return ts.fashion_mnist()


def test_shipped_sample_is_stratified_and_in_range() -> None:
    for part, each in zip(ts.fashion_mnist_sample(), (300, 100), strict=True):
        np.testing.assert_array_equal(np.bincount(part.targets), np.full(10, each))
        assert part.inputs.dtype == jnp.float32
        assert (float(part.inputs.min()), float(part.inputs.max())) == (0.0, 1.0)
        assert len(set(as_bytes(part.inputs))) == 10 * each
        # A shuffled set may be cut anywhere: no long run of one class.
        assert max(len(list(run)) for _, run in itertools.groupby(np.asarray(part.targets))) < 15


def test_sample_shares_no_image_between_training_and_test() -> None:
    train, test = ts.fashion_mnist_sample()
    assert not set(as_bytes(train.inputs)) & set(as_bytes(test.inputs))


def test_shipped_images_are_real_ones_with_their_real_labels(
    debians_fashion_mnist: tuple[ts.Dataset, ts.Dataset],
) -> None:
    for part, full in zip(ts.fashion_mnist_sample(), debians_fashion_mnist, strict=True):
        real = set(zip(as_bytes(full.inputs), np.asarray(full.targets).tolist(), strict=True))
        labels = np.asarray(part.targets).tolist()
        assert set(zip(as_bytes(part.inputs), labels, strict=True)) <= real


def test_full_set_has_its_sizes_and_the_first_images_known_labels(
    debians_fashion_mnist: tuple[ts.Dataset, ts.Dataset],
) -> None:
    train, test = debians_fashion_mnist
    assert train.inputs.shape == (60_000, 784)
    assert test.inputs.shape == (10_000, 784)
    for part, each in ((train, 6000), (test, 1000)):
        np.testing.assert_array_equal(np.bincount(part.targets), np.full(10, each))
    # Ankle boot, T-shirt, T-shirt, dress, T-shirt: as in the figure of the data set's README.
    assert train.targets[:5].tolist() == [9, 0, 0, 3, 0]
    assert len(data.FASHION_CLASSES) == 10
    assert data.FASHION_CLASSES[9] == "Ankle boot"


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes(), compresslevel=1, mtime=0)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The four files of a set of the right sizes: image n shows n in its first pixels."""
    made = {}
    for part, size in (("train", 60_000), ("t10k", 10_000)):
        images = np.zeros((size, 28, 28), np.uint8)
        images[:, 0, 0], images[:, 0, 1] = np.arange(size) // 256, np.arange(size) % 256
        made[f"{part}-images-idx3-ubyte.gz"] = idx(images)
        made[f"{part}-labels-idx1-ubyte.gz"] = idx((np.arange(size) % 10).astype(np.uint8))
    return made


class Server:
    """Serves a folder on this machine, and counts what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        server = self

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                server.asked.append(self.path)

        handler = partial(Handler, directory=str(folder))
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}/"


@pytest.fixture
def server(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Stand in for the authors' servers, with this user's cache and system folder empty."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    server = Server(folder)
    checksums = {name: f"md5:{hashlib.md5(x).hexdigest()}" for name, x in files.items()}
    for source in ("_MNIST", "_FASHION_MNIST"):
        monkeypatch.setattr(data, source, (server.address, checksums))
    monkeypatch.setattr(data, "_SYSTEM_FOLDER", tmp_path / "nothing here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=server.http.serve_forever)
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


def test_full_set_downloads_once_into_the_cache(server: Server, tmp_path: Path) -> None:
    train, test = ts.mnist()
    assert train.inputs.shape == (60_000, 784)
    assert test.inputs.shape == (10_000, 784)
    np.testing.assert_allclose(train.inputs[300, :3], [1 / 255, 44 / 255, 0], rtol=1e-6)
    assert train.targets[297:300].tolist() == [7, 8, 9]
    assert len(server.asked) == 4
    assert len(list((tmp_path / "cache").rglob("*.gz"))) == 4
    ts.mnist()
    assert len(server.asked) == 4


@pytest.mark.parametrize("load", [ts.mnist, ts.fashion_mnist])
def test_download_with_the_wrong_checksum_is_refused_and_not_kept(
    load: Callable, server: Server, tmp_path: Path
) -> None:
    name = "train-images-idx3-ubyte.gz"
    (server.folder / name).write_bytes((server.folder / name).read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match=rf"(?s)hash .*{name}.* does not match .*expected md5:"):
        load()
    assert not list((tmp_path / "cache").rglob("*.gz"))


def test_checksums_are_those_the_authors_publish() -> None:
    # As in the README of zalandoresearch/fashion-mnist and, for MNIST, in torchvision: a wrong
    # digit here would refuse every true download, and no test without a network would see it.
    assert data._FASHION_MNIST[1] == {
        "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    }
    assert data._MNIST[1] == {
        "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
    }


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_systems_copy_comes_before_a_download(
    folder: Path, files: dict[str, bytes], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = folder / "system" / "fashion-mnist"
    system.mkdir(parents=True)
    (system / "train-images-idx3-ubyte.gz").write_bytes(b"found here")
    monkeypatch.setattr(data, "_SYSTEM_FOLDER", folder / "system")
    with pytest.raises(ValueError, match=r"expected .*system/fashion-mnist/train-images.* whole"):
        ts.fashion_mnist()
    assert not server.asked


def test_missing_file_is_named(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"the file .*t10k-labels.*, found none: give"):
        ts.mnist(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda x: x[: len(x) // 2],
        lambda x: x[:-1],
        lambda x: b"not gzip" + x,
        lambda x: b"",
        lambda x: x[: len(x) // 2] + bytes([x[len(x) // 2] ^ 255]) + x[len(x) // 2 + 1 :],
    ],
    ids=["cut", "cut by a byte", "not gzip", "empty", "one byte changed"],
)
def test_damaged_file_is_refused(damage: Callable, folder: Path) -> None:
    path = folder / "train-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"expected .*train-labels.* to be whole|to hold unsigned"):
        ts.mnist(str(folder))


@pytest.mark.parametrize("wrong", ["labels for images", "test for training", "a byte too many"])
def test_another_file_under_the_right_name_is_refused(
    wrong: str, folder: Path, files: dict[str, bytes]
) -> None:
    right = gzip.decompress(files["train-images-idx3-ubyte.gz"])
    content = {
        "labels for images": files["train-labels-idx1-ubyte.gz"],
        "test for training": files["t10k-images-idx3-ubyte.gz"],
        "a byte too many": gzip.compress(right + b"x", compresslevel=1),
    }
    (folder / "train-images-idx3-ubyte.gz").write_bytes(content[wrong])
    with pytest.raises(ValueError, match=r"train-images.* of shape \(60000, 28, 28\), got the h"):
        ts.mnist(folder)
