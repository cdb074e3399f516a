"""Data sets: made up with known structure, or real images."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pooch

from trainable_spikes._checks import positive_integer, step_probability


@dataclass(frozen=True)
class Dataset:
    """Hold samples together with their targets.

    Parameters
    ----------
    inputs : jax.Array, shape ``[N, T, n_in]`` or ``[N, n_in]``
        Spikes over time, or static intensities; the samples come first.
    targets : jax.Array, shape ``[N]`` or ``[N, n_out]``
        Integer labels for classification, or floats for regression.

    Raises
    ------
    ValueError
        There are no samples, an axis is missing, or the numbers of samples and targets differ.

    Examples
    --------
    >>> data = Dataset(jnp.zeros((10, 3)), jnp.arange(10) % 2)
    >>> [len(part) for part in data.split(8, 2, seed=0)]
    [8, 2]
    """

    inputs: jax.Array
    targets: jax.Array

    def __post_init__(self) -> None:
        for name in ("inputs", "targets"):
            object.__setattr__(self, name, jnp.asarray(getattr(self, name)))
        if self.inputs.ndim < 2 or self.targets.ndim < 1:
            raise ValueError(
                "expected inputs of shape [N, ...] with at least two axes and targets of shape "
                f"[N] or [N, n_out], got {self.inputs.shape} and {self.targets.shape}"
            )
        if len(self.inputs) == 0:
            raise ValueError("expected at least one sample, got none: check the selection")
        if len(self.inputs) != len(self.targets):
            raise ValueError(
                f"expected one target a sample, got {len(self.inputs)} samples and "
                f"{len(self.targets)} targets: samples come first in both, so spikes are "
                "[N, T, n_in], not [T, N, n_in]"
            )

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.inputs)

    @property
    def is_classification(self) -> bool:
        """Return whether the targets are integer labels."""
        return self.targets.ndim == 1 and bool(jnp.issubdtype(self.targets.dtype, jnp.integer))

    def split(self, *sizes: int, seed: int) -> tuple[Dataset, ...]:
        """Split the samples into disjoint parts at random.

        Parameters
        ----------
        *sizes : int
            Number of samples in each part; samples that remain are left out.
        seed : int
            Seed of the shuffle.

        Returns
        -------
        tuple of Dataset
            One part for each size, in the same order.

        Raises
        ------
        ValueError
            A size is not a positive integer, or the parts need more samples than there are.
        """
        for size in sizes:
            positive_integer("size", size)
        if sum(sizes) > len(self):
            raise ValueError(
                f"expected parts of at most {len(self)} samples together, got "
                f"{' + '.join(map(str, sizes))} = {sum(sizes)}: ask for fewer"
            )
        order = np.random.default_rng(seed).permutation(len(self))[: sum(sizes)]
        cuts = np.split(order, np.cumsum(sizes)[:-1])
        return tuple(Dataset(self.inputs[cut], self.targets[cut]) for cut in cuts)


def random_labels(
    n_samples: int = 256,
    n_steps: int = 200,
    n_in: int = 100,
    n_classes: int = 2,
    rate: u.Quantity = 5.0 * u.Hz,
    *,
    seed: int = 0,
) -> Dataset:
    """Draw random spikes with random labels: nothing to learn, only to memorise.

    Parameters
    ----------
    n_samples : int, default 256
        Number of samples ``N``.
    n_steps : int, default 200
        Number of time steps ``T``.
    n_in : int, default 100
        Number of inputs.
    n_classes : int, default 2
        Number of classes.
    rate : brainunit.Quantity, default 5 Hz
        Firing rate of every input.
    seed : int, default 0
        Seed of the spikes and labels.

    Returns
    -------
    Dataset
        Spikes, shape ``[N, T, n_in]``, and labels, shape ``[N]``.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        `rate` is not a frequency.
    ValueError
        `rate` is below zero or above one spike per step.
    """
    probability = step_probability("rate", rate)
    generator = np.random.default_rng(seed)
    spikes = generator.random((n_samples, n_steps, n_in), dtype=np.float32) < probability
    labels = generator.integers(n_classes, size=n_samples)
    return Dataset(jnp.asarray(spikes, jnp.float32), jnp.asarray(labels, jnp.int32))


def rate_patterns(
    n_samples: int,
    n_classes: int = 2,
    n_in: int = 100,
    n_steps: int = 100,
    low: u.Quantity = 5.0 * u.Hz,
    high: u.Quantity = 15.0 * u.Hz,
    *,
    task_seed: int = 0,
    seed: int,
) -> Dataset:
    """Draw random spikes whose rates reveal the class: each class raises half of the inputs.

    Parameters
    ----------
    n_samples : int
        Number of samples ``N``.
    n_classes : int, default 2
        Number of classes.
    n_in : int, default 100
        Number of inputs.
    n_steps : int, default 100
        Number of time steps ``T``.
    low : brainunit.Quantity, default 5 Hz
        Firing rate of inputs that the sample's class does not raise.
    high : brainunit.Quantity, default 15 Hz
        Firing rate of inputs that the sample's class raises.
    task_seed : int, default 0
        Seed of the choice of inputs that each class raises. Draw training, validation and test
        data with one `task_seed` and different values of `seed`.
    seed : int
        Seed of the labels and spikes.

    Returns
    -------
    Dataset
        Spikes, shape ``[N, T, n_in]``, and labels, shape ``[N]``.

    Raises
    ------
    RuntimeError
        The environment has no time step ``dt``.
    TypeError
        A rate is not a frequency.
    ValueError
        A rate is below zero or above one spike per step.
    """
    outside, inside = step_probability("low", low), step_probability("high", high)
    task = np.random.default_rng(task_seed)
    raised = np.stack([task.permutation(n_in) < n_in // 2 for _ in range(n_classes)])
    generator = np.random.default_rng(seed)
    labels = generator.integers(n_classes, size=n_samples)
    probability = np.where(raised[labels], inside, outside)[:, None, :]
    spikes = generator.random((n_samples, n_steps, n_in), dtype=np.float32) < probability
    return Dataset(jnp.asarray(spikes, jnp.float32), jnp.asarray(labels, jnp.int32))


def randman(
    n_samples: int,
    n_classes: int = 2,
    n_in: int = 20,
    n_steps: int = 100,
    dimension: int = 1,
    alpha: float = 1.0,
    *,
    task_seed: int = 0,
    seed: int,
) -> Dataset:
    r"""Draw spike-timing patterns on smooth random manifolds, one spike per input (Randman).

    For a point :math:`x \in [0, 1]^D` of a class, input :math:`m` has the value

    .. math::

        y_m(x) = \prod_{d=1}^{D} \sum_{k=0}^{K-1} \frac{a_{mdk}}{(k + 1)^\alpha}
                 \sin\bigl(2 \pi (k \, x_d \, b_{mdk} + \varphi_{mdk})\bigr)

    with :math:`a, b, \varphi` uniform on [0, 1], :math:`a_{md0} = 0` and as many terms :math:`K`
    as exceed 0.001. Scaled to [0, 1] for each class and input, the value is the spike time in
    units of half the trial. Every input spikes once, so spike counts say nothing about the class.
    The patterns follow Zenke and Vogels (2021, doi:10.1162/neco_a_01367), except that the scale is
    taken from one fixed set of points of the task, so that different samples share it.

    Parameters
    ----------
    n_samples : int
        Number of samples ``N``.
    n_classes : int, default 2
        Number of classes.
    n_in : int, default 20
        Number of inputs.
    n_steps : int, default 100
        Number of time steps ``T``.
    dimension : int, default 1
        Dimension ``D`` of each class's manifold.
    alpha : float, default 1
        Smoothness, above zero; larger values are smoother and easier.
    task_seed : int, default 0
        Seed of the manifolds. Draw training, validation and test data with one `task_seed` and
        different values of `seed`.
    seed : int
        Seed of the labels and of the points on the manifolds.

    Returns
    -------
    Dataset
        Spikes, shape ``[N, T, n_in]``, and labels, shape ``[N]``.

    Raises
    ------
    ValueError
        `dimension` is not a positive integer, or `alpha` is not above zero.
    """
    positive_integer("dimension", dimension)
    if not alpha > 0:
        raise ValueError(f"expected alpha above zero, got {alpha!r}: larger is smoother, try 1")
    task = np.random.default_rng(task_seed)
    generator = np.random.default_rng(seed)
    labels = generator.integers(n_classes, size=n_samples)
    points = generator.random((n_samples, dimension))
    n_terms = min(int(np.ceil(1e-3 ** (-1 / alpha))), 1000)  # later terms are below 1e-3
    steps = np.empty((n_samples, n_in), np.int64)
    for label in range(n_classes):
        coefficients = task.random((3, n_in, dimension, n_terms))
        reference = _manifold(task.random((1000, dimension)), coefficients, alpha)
        low, high = reference.min(axis=0), reference.max(axis=0)
        mine = labels == label
        value = (_manifold(points[mine], coefficients, alpha) - low) / (high - low)
        steps[mine] = np.floor(np.clip(value, 0, 1) * 0.5 * (n_steps - 1))
    spikes = np.zeros((n_samples, n_steps, n_in), np.float32)
    np.put_along_axis(spikes, steps[:, None, :], 1.0, axis=1)
    return Dataset(jnp.asarray(spikes), jnp.asarray(labels, jnp.int32))


def _manifold(points: np.ndarray, coefficients: np.ndarray, alpha: float) -> np.ndarray:
    """Evaluate the random Fourier product at points ``[N, D]``: ``[N, n_in]``."""
    amplitude, frequency, phase = coefficients  # each [n_in, D, K]
    k = np.arange(amplitude.shape[-1])
    strength = np.where(k == 0, 0, amplitude / (k + 1) ** alpha)
    value = np.ones((len(points), amplitude.shape[0]))
    for d in range(points.shape[1]):
        for m in range(amplitude.shape[0]):
            angle = 2 * np.pi * (np.outer(points[:, d], k * frequency[m, d]) + phase[m, d])
            value[:, m] *= np.sin(angle) @ strength[m, d]
    return value


#: Names of the ten classes of Fashion-MNIST, in the order of their labels.
FASHION_CLASSES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def fashion_mnist_sample() -> tuple[Dataset, Dataset]:
    """Load a stratified sample of Fashion-MNIST that comes with the package.

    The images are from Xiao, Rasul and Vollgraf (2017, arXiv:1708.07747), under the MIT licence.

    Returns
    -------
    train, test : Dataset
        3,000 and 1,000 images of 28 × 28 pixels in [0, 1], shape ``[N, 784]``, with labels
        0 to 9, named in ``trainable_spikes.data.FASHION_CLASSES``.

    Examples
    --------
    >>> train, test = fashion_mnist_sample()
    >>> train.inputs.shape, test.inputs.shape
    ((3000, 784), (1000, 784))
    """
    with files("trainable_spikes").joinpath("_data/fashion_mnist_sample.npz").open("rb") as file:
        arrays = np.load(file)
        train = _image_set(arrays["train_images"], arrays["train_labels"])
        test = _image_set(arrays["test_images"], arrays["test_labels"])
    return train, test


_SYSTEM_FOLDER = Path("/usr/share/datasets")  # Debian's

# Where the authors or their mirror serve the files, and the checksums they publish. A
# system's copy may be compressed anew, so files found in a folder are checked by content.
_FASHION_MNIST = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    {
        "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    },
)
_MNIST = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
    },
)


def fashion_mnist(folder: str | Path | None = None) -> tuple[Dataset, Dataset]:
    """Load all 70,000 images of Fashion-MNIST.

    The images, from Xiao, Rasul and Vollgraf (2017, arXiv:1708.07747), are read from `folder`. If
    none is given, they are read from where Debian's package dataset-fashion-mnist puts them, or
    else downloaded once into the user's cache and checked against the published checksums.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        Folder with the four ``*-ubyte.gz`` files.

    Returns
    -------
    train, test : Dataset
        60,000 and 10,000 images of 28 × 28 pixels in [0, 1], shape ``[N, 784]``, with labels
        0 to 9, named in ``trainable_spikes.data.FASHION_CLASSES``.

    Raises
    ------
    FileNotFoundError
        `folder` lacks one of the files.
    ValueError
        A file is damaged or holds something else.
    """
    return _idx_data("fashion-mnist", _FASHION_MNIST, folder)


def mnist(folder: str | Path | None = None) -> tuple[Dataset, Dataset]:
    """Load all 70,000 images of MNIST, found or downloaded as by :func:`fashion_mnist`.

    The images are from LeCun, Bottou, Bengio and Haffner (1998, doi:10.1109/5.726791).

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        Folder with the four ``*-ubyte.gz`` files.

    Returns
    -------
    train, test : Dataset
        60,000 and 10,000 images of 28 × 28 pixels in [0, 1], shape ``[N, 784]``, with labels
        0 to 9.

    Raises
    ------
    FileNotFoundError
        `folder` lacks one of the files.
    ValueError
        A file is damaged or holds something else.
    """
    return _idx_data("mnist", _MNIST, folder)


def _idx_data(
    name: str, source: tuple[str, dict[str, str]], folder: str | Path | None
) -> tuple[Dataset, Dataset]:
    if folder is None and (_SYSTEM_FOLDER / name).is_dir():
        folder = _SYSTEM_FOLDER / name
    if folder is None:
        folder = pooch.os_cache("trainable-spikes") / name
        address, checksums = source
        for file, checksum in checksums.items():
            pooch.retrieve(address + file, known_hash=checksum, fname=file, path=folder)
    train, test = (
        _image_set(
            _read_idx(Path(folder) / f"{part}-images-idx3-ubyte.gz", (size, 28, 28)),
            _read_idx(Path(folder) / f"{part}-labels-idx1-ubyte.gz", (size,)),
        )
        for part, size in (("train", 60_000), ("t10k", 10_000))
    )
    return train, test


def _read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read the IDX format: two zero bytes, type 8, number of axes, sizes, unsigned bytes."""
    if not path.is_file():
        raise FileNotFoundError(
            f"expected the file {path}, found none: give the folder that holds the four "
            "*-ubyte.gz files"
        )
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"expected {path} to be whole, got {error!r}: replace the file") from error
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    if not content.startswith(header) or len(content) != len(header) + math.prod(shape):
        raise ValueError(
            f"expected {path} to hold unsigned bytes of shape {shape}, got the header "
            f"{content[: len(header)].hex(' ')} and {len(content)} bytes: it is another data "
            "set's file; replace it"
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _image_set(images: np.ndarray, labels: np.ndarray) -> Dataset:
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255
    return Dataset(jnp.asarray(pixels), jnp.asarray(labels, jnp.int32))
