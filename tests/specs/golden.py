"""Reference networks as files: names and shapes of their tensors, and outputs of one run."""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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
    """One file; README.md in the same folder explains the fields.

    `inputs` are in the order of the reference's call, and `given` has those that are not drawn.
    """

    parameters: int
    state: dict[str, tuple[int, ...]]
    inputs: dict[str, tuple[int, ...]]
    gain: float
    outputs: tuple[Output, ...]
    given: dict[str, Any]
    aliases: dict[str, str]
    kept: dict[str, tuple[int, ...]]
    fixed: dict[str, Any]
    gates: list[list[int]]

    def arguments(self) -> list[numpy.ndarray]:
        """The inputs of the run, in order."""
        return [
            numpy.asarray(self.given[name]) if name in self.given else draw(name, shape)
            for name, shape in self.inputs.items()
        ]

    def value(self, name: str, shape: tuple[int, ...]) -> numpy.ndarray | None:
        """The value of a floating tensor in the run; None if the network keeps its own."""
        if name in self.kept:
            return None
        if name in self.fixed:
            return numpy.broadcast_to(numpy.asarray(self.fixed[name], numpy.float32), shape)
        return fill(self.aliases.get(name, name), shape, self.gain)


@cache
def golden(name: str) -> Golden:
    """The reference network of this name."""
    return reference_of(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def reference_of(data: dict[str, Any]) -> Golden:
    """The contents of a file."""
    outputs = tuple(map(output, data["outputs"].values()))
    return Golden(
        parameters=data["params"],
        state=_shapes(data["state"]),
        inputs=_shapes(data.get("inputs") or {"input": data["input"]}),
        gain=data["gain"],
        outputs=outputs,
        given=data.get("values", {}),
        aliases=data.get("aliases", {}),
        kept=_shapes(data.get("kept", {})),
        fixed=data.get("fixed", {}),
        gates=data.get("gates", {}).get("d", []),
    )


def _shapes(entries: dict[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(shape) for name, shape in entries.items()}


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


def draw(name: str, shape: tuple[int, ...]) -> numpy.ndarray:
    """An input by its name in the reference."""
    return _normal(name.encode(), shape)


def _normal(seed: bytes, shape: tuple[int, ...]) -> numpy.ndarray:
    generator = numpy.random.Generator(numpy.random.PCG64(zlib.crc32(seed)))
    return generator.standard_normal(shape, dtype=numpy.float32)
