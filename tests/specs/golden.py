"""Reference networks as files: names and shapes of their tensors, and outputs of one run."""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy

FOLDER = Path(__file__).resolve().parents[1] / "golden"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@dataclass(frozen=True)
class Output:
    """The output of the reference: its shape, standard deviation, first and last values."""

    shape: tuple[int, ...]
    std: float
    norm: float
    head: tuple[float, ...]
    tail: tuple[float, ...]


@dataclass(frozen=True)
class Golden:
    """One file; README.md in the same folder explains the fields."""

    parameters: int
    state: dict[str, tuple[int, ...]]
    input: tuple[int, ...]
    gain: float
    outputs: tuple[Output, ...]


@cache
def golden(name: str) -> Golden:
    """The reference network of this name."""
    data = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    outputs = tuple(map(output, data["outputs"].values()))
    state = {key: tuple(shape) for key, shape in data["state"].items()}
    return Golden(data["params"], state, tuple(data["input"]), data["gain"], outputs)


def output(item: dict) -> Output:
    """A tensor from its description in a file."""
    head, tail = tuple(item["head"]), tuple(item["tail"])
    return Output(tuple(item["shape"]), item["std"], item["norm"], head, tail)


def assert_agrees(values: numpy.ndarray, wanted: Output, tolerance: float, norm: float) -> None:
    """Values differ by at most `tolerance` (of std), the norm by at most the fraction `norm`."""
    assert values.shape == wanted.shape
    flat = values.ravel()
    near = {"rtol": 0, "atol": tolerance * wanted.std}
    numpy.testing.assert_allclose(flat[:16], wanted.head, **near)
    numpy.testing.assert_allclose(flat[-16:], wanted.tail, **near)
    numpy.testing.assert_allclose(numpy.linalg.norm(flat), wanted.norm, rtol=norm)


def fill(name: str, shape: tuple[int, ...], gain: float) -> numpy.ndarray:
    """The weights by name."""
    values = _normal(name.encode(), shape)
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return numpy.exp(0.2 * values)
    if leaf == "running_mean":
        return 0.1 * values
    if len(shape) >= 2 and leaf == "weight":
        return values * numpy.float32(gain) / numpy.sqrt(numpy.float32(numpy.prod(shape[1:])))
    if leaf == "weight" or leaf.endswith("gain"):
        return 1 + 0.1 * values
    return 0.1 * values


def probe(shape: tuple[int, ...]) -> numpy.ndarray:
    """The input."""
    return _normal(b"input", shape)


def _normal(seed: bytes, shape: tuple[int, ...]) -> numpy.ndarray:
    generator = numpy.random.Generator(numpy.random.PCG64(zlib.crc32(seed)))
    return generator.standard_normal(shape, dtype=numpy.float32)
