"""The classes of generated code for other constructor arguments, compared with the spec."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from archspec.diagnostics.failure import CompileFailed
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.expression import evaluated
from archspec.graph.model import Graph
from archspec.loading import load
from archspec.semantics.expansion import blocks
from archspec.semantics.values import model
from archspec.types.dim import Dim, dim
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import TensorType
from archspec_torch import source
from archspec_torch.classes.constructor.parameters import Parameter
from archspec_torch.classes.grouping import ClassDef
from archspec_torch.module import load_source


@frozen
class Outcome:
    """What a class does for another value of one argument.

    `kind` is "right", "refused", "wrong" (`text` says how it differs), or "skipped" (why).
    """

    name: str
    argument: str
    kind: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.name}({self.argument}): {self.text or self.kind}"


@frozen
class Written:
    """A layer that is an argument of a block: its text, and the definitions that it mentions."""

    text: str
    uses: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """The class does not take a value, and says so."""


class Skipped(Exception):
    """The spec cannot be asked for another value."""


def differences(file: Path, name: str, folder: Path) -> list[str]:
    """The arguments for which a class is neither what the spec gives nor refuses them."""
    return [str(one) for one in outcomes(file, name, folder) if one.kind == "wrong"]


def outcomes(file: Path, name: str, folder: Path, many: bool = True) -> Iterator[Outcome]:
    """For each number that a class takes, and other values of it, whether the class is right.

    Each argument is changed by itself. `file` has the spec of the network, `folder` is for copies
    of it with a further network. Without `many`, one other value of each argument is tried.
    """
    for other in file.parent.glob("*.arch"):
        (folder / other.name).write_text(other.read_text())
    with patch.object(blocks, "plain_argument", _as_argument):
        compiled = load(file, name).compiled
    module, classes = _written_classes(compiled)
    for item in classes:
        if item.is_function:
            continue
        probe: Probe = (
            Whole(item, module, compiled, file)
            if item.first.layout.root
            else Part(item, module, compiled, folder)
        )
        yield from probe.outcomes(many)


def _written_classes(compiled: Compiled) -> tuple[ModuleType, list[ClassDef]]:
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


# ---------------------------------------------------------------------- classes


class Probe:
    """One class in its first specialisation."""

    def __init__(self, item: ClassDef, module: ModuleType, compiled: Compiled) -> None:
        self.item, self.compiled = item, compiled
        self.kind: type[nn.Module] = getattr(module, item.name)
        self.graph: Graph = item.first.unit.either
        self.first = {one.name: one.values[0] for one in item.parameters}

    def outcomes(self, many: bool) -> Iterator[Outcome]:
        """For each argument and another value."""
        same = ""
        for number, parameter in enumerate(self.item.parameters):
            if not number:
                try:
                    same = self.unchanged()
                except (CompileFailed, Skipped) as fault:
                    same = _text(fault)
            for value in _others(parameter.values[0])[: 2 if many else 1]:
                argument = f"{parameter.name}={parameter.values[0]} -> {value}"
                if same:
                    yield Outcome(self.item.name, argument, "skipped", same)
                    continue
                try:
                    found = self.changed(parameter, value)
                except (CompileFailed, Skipped) as fault:
                    yield Outcome(self.item.name, argument, "skipped", _text(fault))
                except Refused:
                    yield Outcome(self.item.name, argument, "refused")
                else:
                    kind = "wrong" if found else "right"
                    yield Outcome(self.item.name, argument, kind, found)

    def unchanged(self) -> str:
        """How the class differs from the spec for its own arguments: then it cannot be tested."""
        return ""

    def changed(self, parameter: Parameter, value: float) -> str:
        """How the class differs from the spec for another value of an argument."""
        raise NotImplementedError

    def made(self, given: Mapping[str, Any]) -> nn.Module:
        """An instance of the class."""
        try:
            with torch.device("meta"):
                return self.kind(**{**self.first, **given})
        except ValueError as fault:
            if str(fault).startswith("`"):  # in our words, not in those of a layer of PyTorch
                raise Refused from None
            raise


class Whole(Probe):
    """The class of a network."""

    def __init__(self, item: ClassDef, module: ModuleType, compiled: Compiled, file: Path) -> None:
        super().__init__(item, module, compiled)
        self.file = file

    def changed(self, parameter: Parameter, value: float) -> str:
        """How the class differs from the network."""
        changed = {parameter.name: value}
        expected = load(self.file, self.compiled.name, **changed).to_torch(device="meta")
        data = [_tensor(one, self.compiled.sizes) for one in self.graph.input_types]
        return _difference(lambda: self.made(changed), expected, expected, data, operations=False)


class Part(Probe):
    """The class of a block."""

    def __init__(
        self, item: ClassDef, module: ModuleType, compiled: Compiled, folder: Path
    ) -> None:
        super().__init__(item, module, compiled)
        self.folder, self.operations = folder, True
        shown = {one.source for one in item.parameters}
        given = self.graph.arguments
        self.arguments = {
            name: value
            for name, value in given.items()
            if name in shown
            or name not in self.graph.defaults
            or evaluated(self.graph.defaults[name], given) != value
        }
        self.inputs = self.graph.input_types

    def unchanged(self) -> str:
        """How the class differs from the block."""
        expected, data = self._reference(self.arguments, self.inputs)
        for self.operations in (True, False):
            found = self._difference({}, expected, data)
            if not found:
                break
        return found

    def changed(self, parameter: Parameter, value: float) -> str:
        """How the class differs from the block."""
        given = {parameter.name: value}
        with suppress(CompileFailed):
            expected, data = self._reference(*self._changed(parameter, value, every=False))
            found = self._difference(given, expected, data)
            if not found or parameter.source in self.arguments:
                return found
        # the argument may be for the sizes of several axes
        expected, data = self._reference(*self._changed(parameter, value, every=True))
        return self._difference(given, expected, data)

    def _difference(
        self, given: Mapping[str, float], expected: nn.Module, data: Sequence[Tensor]
    ) -> str:
        inner: Any = expected.inner
        extra = [self.compiled.sizes[name.rstrip("_")] for name in self.item.first.layout.extra]
        return _difference(
            lambda: self.made(given), inner, expected, data, extra, operations=self.operations
        )

    def _changed(
        self, parameter: Parameter, value: float, every: bool
    ) -> tuple[dict[str, Any], Sequence[TensorType]]:
        """The arguments of the block, and its inputs, for another value of one argument.

        A size is changed on each axis that has it, or, without `every`, on one axis of each input.
        """
        name, old = parameter.source, parameter.values[0]
        if name in self.arguments:
            return {**self.arguments, name: value}, self.inputs
        if not name:
            raise Skipped("it is not an argument of the block")
        place = re.fullmatch(r"(\d+):(\d+)", name)
        inputs, found = [], False
        for at, kind in enumerate(self.inputs):
            axes = [axis for axis, size in enumerate(kind.shape) if size.constant == old]
            if place is not None and not every:
                axes = [int(place[2])] if at == int(place[1]) else []
            elif not every:
                named = [axis for axis in axes if self._declared(at, axis) == name]
                axes = named or axes[:1]
            shape = [dim(int(value)) if at in axes else size for at, size in enumerate(kind.shape)]
            found = found or bool(axes)
            inputs.append(TensorType(kind.dtype, tuple(shape)))
        if not found:
            raise Skipped(f"`{name}` is not a size of an input")
        return self.arguments, inputs

    def _declared(self, at: int, axis: int) -> str:
        """The name of a size in the first statement that declares inputs."""
        text = self.graph.origin.span.source.text
        start = re.search(rf"\b(?:block|rule)\s+{self.graph.name}\b", text)
        statement = re.search(r"\binput ([^\n]*)", text[start.end() :]) if start else None
        shapes = re.findall(r"\[([^\]]*)\]", statement[1]) if statement else []
        sizes = shapes[at].split(",") if at < len(shapes) else []
        return sizes[axis].strip() if axis < len(sizes) else ""

    def _reference(
        self, arguments: Mapping[str, Any], inputs: Sequence[TensorType]
    ) -> tuple[nn.Module, list[Tensor]]:
        """The block with these arguments, as `inner` of a network, and data for it."""
        text = self.graph.origin.span.source.text
        if not re.search(rf"\b(?:block|rule)\s+{self.graph.name}\b", text):
            raise Skipped("not a block of the spec")
        try:
            expected = self._compiled(text, arguments, inputs, symbolic=True)
        except CompileFailed:
            expected = self._compiled(text, arguments, inputs, symbolic=False)
        return expected, [_tensor(one, self.compiled.sizes) for one in inputs]

    def _compiled(
        self, text: str, arguments: Mapping[str, Any], inputs: Sequence[TensorType], symbolic: bool
    ) -> nn.Module:
        known = dict.fromkeys(
            size for one in inputs for size in one.shape if symbolic and size.constant is None
        )
        symbols = {size: f"S{at}" for at, size in enumerate(known)}
        sizes = {size: size.evaluate(self.compiled.sizes) for size in known}
        first = {size: f"{symbols[size]} = {sizes[size]}" for size in known}

        def shown(size: Dim) -> str:
            name = first.pop(size, None) or symbols.get(size)
            return name or str(size.evaluate(self.compiled.sizes))

        declared = []
        for at, one in enumerate(inputs):
            kind = str(one.dtype.value)
            shape = ", ".join(map(shown, one.shape))
            declared.append(f"x{at}: {'' if kind == 'f32' else kind}[{shape}]")
        names = ", ".join(f"x{at}" for at in range(len(inputs)))
        data = f"({names})" if len(inputs) > 1 else names
        values = {
            name: symbols.get(value) or value.evaluate(self.compiled.sizes)
            if isinstance(value, Dim)
            else value
            for name, value in arguments.items()
        }
        layer = ", ".join(f"{name}={_shown(value)}" for name, value in values.items())
        uses = dict.fromkeys(use for value in values.values() for use in _uses(value))
        missing = [
            f"use {module} {{ {name} }}"
            for module, name in uses
            if not re.search(rf"(?m)^(?:inline )?(?:block|rule|network|use)\b.*\b{name}\b", text)
        ]
        name = f"probed_{Path(self.graph.origin.span.source.name).name}"
        start, _, rest = text.partition("\n")
        path = self.folder / name
        path.write_text(
            "\n".join([start, *missing, rest])
            + f"\nnetwork probed() {{\n  input {', '.join(declared)}\n"
            f"  output {data} -> inner: {self.graph.name}({layer})\n}}\n"
        )
        return load(path, "probed").to_torch(device="meta")


def _text(fault: Exception) -> str:
    if isinstance(fault, CompileFailed):
        return f"the spec refuses it: {fault.diagnostics[0].message}"
    return str(fault)


def _others(value: object) -> list[float]:
    """Other values of an argument."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [2 * value, value + 1] if value else [1]
    return [value / 2 if value else 0.25] if isinstance(value, float) else []


# ---------------------------------------------------------------------- arguments as text


def _as_argument(value: Any) -> Any:
    """An argument as plain data; layers as text that the spec would have."""
    match value:
        case model.ListValue(items=items):
            return tuple(map(_as_argument, items))
        case tuple():
            return tuple(map(_as_argument, value))
        case bool() | int() | float() | str() | Dim() | Initialiser():
            return value
        case model.OpLayer(op=op):
            return _called(op.name, value.given, ())
        case model.BlockLayer(definition=definition):
            file = definition.name_span.source.name.removesuffix(".arch")
            module = file.replace("/", ".") if file.startswith("std/") else Path(file).name
            return _called(definition.name, value.given, ((module, definition.name),))
        case model.GroupLayer(inner=inner):
            return _as_argument(inner)
        case model.Closure(expression=expression):
            return Written(f"({expression.span.text})")
    return Written(str(blocks.show(value)))


def _called(name: str, given: Sequence[model.Given], uses: tuple[tuple[str, str], ...]) -> Written:
    values = [_as_argument(one.value) for one in given]
    parts = [
        f"{one.name}={_shown(value)}" if one.name else _shown(value)
        for one, value in zip(given, values, strict=True)
    ]
    more = tuple(use for value in values for use in _uses(value))
    return Written(f"{name}({', '.join(parts)})" if parts else name, (*uses, *more))


def _uses(value: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(value, tuple):
        return tuple(use for one in value for use in _uses(one))
    return value.uses if isinstance(value, Written) else ()


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, Written):
        return value.text
    if isinstance(value, str) and not re.fullmatch(r"S\d+", value):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------------- modules


def _difference(
    make: Callable[[], nn.Module],
    expected: nn.Module,
    whole: nn.Module,
    data: Sequence[Tensor],
    extra: Sequence[int] = (),
    operations: bool = True,
) -> str:
    """How a module differs from what is expected: tensors, layers, results, operations.

    `expected` is `whole` or its only child; `extra` are sizes that only the module is passed.
    """
    try:
        found = make()
    except (RuntimeError, ValueError, AssertionError, TypeError) as fault:
        return f"{type(fault).__name__}: {fault}"
    apart = _different_parts(found, expected)
    if apart:
        return apart
    for training in (False, True) if operations else (False,):
        ran = [
            _ran(one, given, training) for one, given in ((found, (*data, *extra)), (whole, data))
        ]
        if isinstance(ran[1], str):
            continue  # it needs values, or more than one image
        if isinstance(ran[0], str):
            return ran[0]
        one, two = (made if operations else made[-1:] for made in ran)
        if one != two:
            more = [[op for op in one if op not in two], [op for op in two if op not in one]]
            return f"other operations: {more[0][:2]} for {more[1][:2]}"
    return ""


def _different_parts(found: nn.Module, expected: nn.Module) -> str:
    """How the tensors, layers and initial values of two modules differ."""
    sizes = [
        {name: tuple(one.shape) for name, one in module.state_dict().items()}
        for module in (found, expected)
    ]
    names = sizes[0].keys() | sizes[1].keys()
    if apart := sorted(name for name in names if sizes[0].get(name) != sizes[1].get(name)):
        return f"`{apart[0]}` is {sizes[0].get(apart[0])}, not {sizes[1].get(apart[0])}"
    texts = [dict(_layers(module)) for module in (found, expected)]
    for name, text in texts[1].items():
        if texts[0].get(name, text) != text:
            return f"`{name}` is {texts[0][name]}, not {text}"
    values = [_initial_values(module) for module in (found, expected)]
    more = [one for one in values[0] if one not in values[1]]
    return "" if values[0] == values[1] else f"other initial values: {more[:2]}"


def _ran(module: nn.Module, inputs: Sequence[Any], training: bool) -> list[str] | str:
    """The operations of a module and its results, or the error that it raises."""
    try:
        return _operations(module.train(training), inputs)
    except (RuntimeError, ValueError, TypeError, NotImplementedError, IndexError) as fault:
        return f"{type(fault).__name__}: {fault}"


def _layers(module: nn.Module) -> Iterator[tuple[str, str]]:
    """The layers of PyTorch, with their attributes."""
    for name, part in module.named_modules():
        yield name, part.extra_repr()


def _initial_values(module: nn.Module) -> list[str]:
    """The operations that set initial values."""
    noted = _Noted()
    with noted, torch.no_grad():
        for part in module.modules():
            for method in ("reset_parameters", "init_weights"):
                if hasattr(part, method):
                    getattr(part, method)()
    return sorted(noted.found)


def _operations(module: nn.Module, inputs: Sequence[Any]) -> list[str]:
    """The operations that a module does, with their numbers and shapes, and the results."""
    torch.manual_seed(1)
    random.seed(1)
    noted = _Noted()
    with noted, torch.no_grad():
        results = [tuple(one.shape) for one in _flat(module(*inputs))]
    return [*sorted(noted.found), str(results)]


VIEWS = ("alias", "view", "_unsafe_view", "reshape", "detach", "_to_copy", "clone")
"""Operations that do not change values."""


class _Noted(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name, given = function.__name__.partition(".")[0], args
        if name == "split":  # into equal sizes
            axis = args[2] if len(args) > 2 else 0
            sizes = [args[1]] * (args[0].shape[axis] // args[1])
            name, given = "split_with_sizes", (args[0], sizes, axis)
        is_empty = name == "constant_pad_nd" and not any(args[1])
        if name not in VIEWS and not is_empty:
            shown = ", ".join(map(_noted, given))
            named = ", ".join(f"{key}={_noted(one)}" for key, one in (kwargs or {}).items())
            self.found.append(f"{name}({shown}; {named})")
        return function(*args, **(kwargs or {}))


def _noted(value: Any) -> str:
    if isinstance(value, Tensor):
        return str(tuple(value.shape))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_noted, value))}]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _tensor(kind: TensorType, sizes: Mapping[str, int]) -> Tensor:
    types = {"i64": torch.int64, "bool": torch.bool}
    dtype = types.get(str(kind.dtype.value), torch.float32)
    shape = [size.evaluate(sizes) for size in kind.shape]
    return torch.empty(shape, dtype=dtype, device="meta")


def _flat(results: Any) -> Iterator[Tensor]:
    if isinstance(results, Tensor):
        yield results
        return
    for item in results:
        yield from _flat(item)
