"""The classes of generated code for other constructor arguments, compared with the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from archspec.diagnostics.failure import CompileFailed
from archspec.graph.compiled import Compiled
from archspec.graph.expression import evaluated
from archspec.graph.model import Graph
from archspec.loading import load
from archspec_torch import source
from archspec_torch.classes.constructor.parameters import Parameter
from archspec_torch.classes.grouping import ClassDef
from archspec_torch.module import load_source

Shape = tuple[str, tuple[int, ...]]
"""The element type and the sizes of an input."""


def written_classes(compiled: Compiled) -> tuple[ModuleType, list[ClassDef]]:
    """The generated module of a network, and what its classes were made of."""
    found: list[ClassDef] = []

    def noted(network: Compiled) -> Any:
        written = write(network)
        found.extend(written.classes)
        return written

    write = source.write_classes
    with patch.object(source, "write_classes", noted):
        text, _ = source.python_source(compiled)
    return load_source(text), found


def differences(compiled: Compiled, folder: Path, files: Path) -> Iterator[str]:
    """The arguments whose other values make another module than the spec does with them.

    Each numeric argument of each class of a block is changed by itself. `files` has the specs,
    `folder` is for copies of them with a further network.
    """
    module, classes = written_classes(compiled)
    for item in classes:
        graph = item.first.unit.either
        file = files / Path(graph.origin.span.source.name).name
        named = re.compile(rf"\b(?:block|rule)\s+{graph.name}\b")
        if item.is_function or item.first.layout.root or not file.exists():
            continue
        if not named.search(file.read_text()):
            continue
        probe = Probe(item, module, file, folder, compiled)
        if probe.differs({}, probe.arguments, probe.inputs):
            continue  # arguments that are layers: their own arguments are not known here
        yield from probe.differences()


class Probe:
    """One class, and the block that it was written for, in its first specialisation."""

    def __init__(
        self, item: ClassDef, module: ModuleType, file: Path, folder: Path, compiled: Compiled
    ) -> None:
        self.item, self.file, self.folder = item, file, folder
        self.kind: type[nn.Module] = getattr(module, item.name)
        self.graph: Graph = item.first.unit.either
        shown = {one.source for one in item.parameters}
        given = self.graph.arguments
        self.arguments = {
            name: value
            for name, value in given.items()
            if name in shown
            or name not in self.graph.defaults
            or evaluated(self.graph.defaults[name], given) != value
        }
        self.inputs: list[Shape] = [
            (str(one.dtype.value), tuple(size.evaluate(compiled.sizes) for size in one.shape))
            for one in self.graph.input_types
        ]

    def differences(self) -> Iterator[str]:
        """For each argument and another value that the spec accepts, what differs."""
        for parameter in self.item.parameters:
            for value in _others(parameter.values[0]):
                changed = self._changed(parameter, value)
                found = changed and self.differs({parameter.name: value}, *changed)
                if found:
                    was = f"{parameter.name}={parameter.values[0]}"
                    yield f"{self.item.name}({was} -> {value}): {found}"

    def _changed(
        self, parameter: Parameter, value: float
    ) -> tuple[dict[str, Any], list[Shape]] | None:
        """The arguments of the block, and its inputs, for another value of one argument."""
        name, old = parameter.source, parameter.values[0]
        if name in self.arguments:
            return {**self.arguments, name: value}, self.inputs
        place = re.fullmatch(r"(\d+):(\d+)", name)
        axes = [
            (at, axis)
            for at, (_, shape) in enumerate(self.inputs)
            for axis, size in enumerate(shape)
            if (size == old if place is None else (at, axis) == (int(place[1]), int(place[2])))
        ]
        if not name or len(axes) != 1:
            return None
        inputs = list(self.inputs)
        kind, shape = inputs[axes[0][0]]
        inputs[axes[0][0]] = (kind, (*shape[: axes[0][1]], int(value), *shape[axes[0][1] + 1 :]))
        return self.arguments, inputs

    def differs(
        self, given: dict[str, float], arguments: dict[str, Any], inputs: Sequence[Shape]
    ) -> str:
        """How the class differs from the block; "" for what the spec refuses, or the class."""
        try:
            expected = self._reference(arguments, inputs)
        except CompileFailed:
            return "" if given else "not a block"
        first = {one.name: one.values[0] for one in self.item.parameters}
        try:
            with torch.device("meta"):
                found = self.kind(**{**first, **given}).eval()
        except ValueError:
            return ""  # refused
        except (RuntimeError, AssertionError, TypeError) as fault:
            return str(fault)
        return _compared(found, expected, [_tensor(*one) for one in inputs])

    def _reference(self, arguments: dict[str, Any], inputs: Sequence[Shape]) -> nn.Module:
        kinds = {"f32": ""}
        declared = ", ".join(
            f"x{at}: {kinds.get(kind, kind)}[{', '.join(map(str, shape))}]"
            for at, (kind, shape) in enumerate(inputs)
        )
        names = ", ".join(f"x{at}" for at in range(len(inputs)))
        data = f"({names})" if len(inputs) > 1 else names
        layer = ", ".join(f"{name}={_shown(value)}" for name, value in arguments.items())
        path = self.folder / self.file.name
        path.write_text(
            f"{self.file.read_text()}\nnetwork probed() {{\n  input {declared}\n"
            f"  output {data} -> inner: {self.graph.name}({layer})\n}}\n"
        )
        return load(path, "probed").to_torch(device="meta").eval()


def _others(value: object) -> list[float]:
    """Other values of an argument."""
    if type(value) is int:
        return [2 * value, value + 1] if value else []
    return [value / 2] if isinstance(value, float) and value else []


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tensor(kind: str, shape: tuple[int, ...]) -> Tensor:
    types = {"f32": torch.float32, "i64": torch.int64, "bool": torch.bool}
    return torch.empty(shape, dtype=types.get(kind, torch.float32), device="meta")


def _compared(found: nn.Module, expected: nn.Module, inputs: Sequence[Tensor]) -> str:
    """How a module differs from the child `inner` of another one: tensors, layers, results."""
    inner = {
        name.removeprefix("inner."): value.shape for name, value in expected.state_dict().items()
    }
    if {name: value.shape for name, value in found.state_dict().items()} != inner:
        return "it has other tensors"
    texts = [
        {name: part.extra_repr() for name, part in module.named_modules() if name.startswith(start)}
        for module, start in ((found, ""), (expected, "inner."))
    ]
    for name, text in texts[1].items():
        if texts[0].get(name.removeprefix("inner."), text) != text:
            return f"`{name}` is another layer"
    try:
        one, two = ([*_flat(module(*inputs))] for module in (found, expected))
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as fault:
        return str(fault)
    same = [left.shape for left in one] == [right.shape for right in two]
    return "" if same else "its results have other shapes"


def _flat(results: Any) -> Iterator[Tensor]:
    if isinstance(results, Tensor):
        yield results
        return
    for item in results:
        yield from _flat(item)
