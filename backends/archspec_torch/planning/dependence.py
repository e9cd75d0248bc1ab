"""The names of a block on which more than numbers of its code depends.

The code of an op is text with numbers, and its text may depend on a number: attention without
dropout has no argument for it. Whether it does is found out by writing the op again with another
value of each attribute. A number of an attribute may also change sizes of data that are no numbers,
as a stride does; code that reads such sizes has them as expressions in which it does not occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from archspec.graph.expression import Expression, Name, Operation, evaluated, names_in
from archspec.graph.inference import inferred, own_inputs
from archspec.graph.model import Graph, Node, Port
from archspec.ops.base import Op
from archspec.ops.merge import Split
from archspec.types.dim import Dim, DimLike, dim
from archspec.types.tensor import DType, TensorType
from archspec_torch.code.pieces import Code, Hole, call, code, constructed, holes
from archspec_torch.code.sizes import size_code
from archspec_torch.lowering import lower
from archspec_torch.lowering.base import Scope, site
from archspec_torch.planning.kept_sizes import REFUSALS
from archspec_torch.planning.known_numbers import known_numbers
from archspec_torch.planning.origins import Origins
from archspec_torch.planning.size_origins import passed, size_origins

DIVISIONS = ("//", "ceil_div", "%")


def names_in_text(graph: Graph) -> frozenset[str]:
    """The names on which the text of an op depends, or a number without an expression."""
    if graph not in _IN_TEXT:
        found = (_in_text(graph, node) for node in graph.nodes if node.op is not None)
        _IN_TEXT[graph] = frozenset(name for names in found for name in names)
    return _IN_TEXT[graph]


def sizes_in_attributes(graph: Graph) -> frozenset[Dim]:
    """The sizes, other than numbers, that the spec writes as expressions in attributes of ops."""
    return frozenset(
        size
        for node in graph.nodes
        if node.op is not None and node.instance is not None
        for name, written in node.instance.written.items()
        if isinstance(written, Operation)
        for size in _dims(getattr(node.op, name, None))
    )


def _dims(value: Any) -> Iterator[Dim]:
    if isinstance(value, tuple):
        for item in value:
            yield from _dims(item)
    elif isinstance(value, Dim) and value.constant is None:
        yield value


def equal_sizes(graph: Graph) -> Iterator[Expression]:
    """The equations between sizes for which the code has one number: parts of one size."""
    for node in graph.nodes:
        if not isinstance(node.op, Split) or not isinstance(node.op.parts, tuple):
            continue
        written = node.instance.written.get("parts") if node.instance is not None else None
        if isinstance(written, Operation) and len({*node.op.parts}) == 1:
            first, *others = dict.fromkeys(written.operands)
            yield from (Operation("==", (first, other)) for other in others)


def names_in_sizes(graph: Graph) -> Mapping[str, frozenset[Dim]]:
    """The names on which sizes that are no numbers depend, with these sizes."""
    if graph not in _IN_SIZES:
        _IN_SIZES[graph] = _changed_sizes(graph)
    return _IN_SIZES[graph]


_IN_TEXT: WeakKeyDictionary[Graph, frozenset[str]] = WeakKeyDictionary()
_IN_SIZES: WeakKeyDictionary[Graph, Mapping[str, frozenset[Dim]]] = WeakKeyDictionary()


def _in_text(graph: Graph, node: Node) -> Iterator[str]:
    yield from _divisors(graph, node)
    variants = [*_variants(graph, node)]
    if not variants:
        return
    own = _written(graph, node, node.op)
    origins = Origins(graph, node)
    read = [{*names_in(one.origin)} if one.origin else set() for one in holes(origins.of(own))]
    for written, other in variants:
        names = {*names_in(written)}
        try:
            changed = _written(graph, node, other)
        except REFUSALS:
            continue  # no value that the op takes here
        if constructed(changed) != constructed(own):
            yield from names
            continue
        pairs = zip(holes(own), holes(changed), read, strict=True)
        if any(one.value != two.value and names.isdisjoint(known) for one, two, known in pairs):
            yield from names


def _divisors(graph: Graph, node: Node) -> Iterator[str]:
    """The names of numbers by which an attribute divides sizes that are no numbers.

    For an attribute of such sizes whose expression is not known, all names of numbers.
    """
    if node.op is None or node.instance is None:
        return
    written, taken = node.instance.written, {*_sizes(graph.input_types)}
    numbers = {name for name, value in graph.names.items() if isinstance(value, int | float)}
    for name in type(node.op).model_fields:
        if name == node.op.open_attributes or taken.issuperset(_dims(getattr(node.op, name))):
            continue
        if name in written:
            for division in _operations(written[name], DIVISIONS):
                yield from numbers.intersection(names_in(division))
            continue
        yield from numbers


def names_of_divisors(graph: Graph) -> Iterator[str]:
    """The names of numbers by which attributes of ops divide others."""
    numbers = {name for name, value in graph.names.items() if isinstance(value, int | float)}
    for node in graph.nodes:
        for written in node.instance.written.values() if node.op and node.instance else ():
            for division in _operations(written, DIVISIONS):
                yield from numbers.intersection(names_in(division.operands[1]))


def _operations(expression: Expression, signs: Sequence[str]) -> Iterator[Operation]:
    if isinstance(expression, Operation):
        if expression.sign in signs:
            yield expression
        for operand in expression.operands:
            yield from _operations(operand, signs)


def _changed_sizes(graph: Graph) -> dict[str, frozenset[Dim]]:
    sources: dict[str, dict[int, Op | None]] = {}  # the nodes whose results a name changes
    names = known_numbers(graph)
    for node in graph.nodes:
        if node.instance is None:
            continue
        if node.callee is not None:
            for name in names_in_sizes(node.callee):
                given = passed(size_origins(graph), node, node.callee, name)
                for outer in names_in(given) if given is not None else ():
                    sources.setdefault(outer, {})[node.id] = None
            continue
        for name in dict.fromkeys(chain(*map(names_in, node.instance.written.values()))):
            if (other := _with_another(node, name, names)) is not None:
                sources.setdefault(name, {})[node.id] = other
    found = {name: _changed(graph, nodes) for name, nodes in sources.items()}
    return {name: sizes for name, sizes in found.items() if sizes}


def _with_another(node: Node, name: str, names: Mapping[str, Any]) -> Op | None:
    """The op of a node for another value of a name, if it takes one."""
    assert node.op is not None
    assert node.instance is not None
    for value in _others(names.get(name)):
        changed = {**names, name: value}
        given = {
            attribute: evaluated(written, changed)
            for attribute, written in node.instance.written.items()
            if attribute in type(node.op).model_fields and name in names_in(written)
        }
        with suppress(ValidationError):
            return node.op.derived(**given) if given else None
    return None


def _changed(graph: Graph, sources: Mapping[int, Op | None]) -> frozenset[Dim]:
    """The sizes, other than numbers, that differ if some nodes have other results."""
    types: dict[Port, TensorType] = {}
    found: set[Dim] = set()
    for node in graph.nodes:
        is_source = node.id in sources
        if node.instance is None or not (is_source or any(port in types for port in node.inputs)):
            continue
        inputs = tuple(types.get(port, graph.type_of(port)) for port in node.inputs)
        made = _made(node, sources.get(node.id, node.op), inputs)
        if made is None:
            made = node.types if is_source and node.op is not None else _alike(graph, node, inputs)
            made = _larger(made) if is_source and node.op is None else made
        for at, (old, new) in enumerate(zip(node.types, made, strict=True)):
            if old != new:
                apart = {a for a, b in zip(old.shape, new.shape, strict=True) if a != b}
                found.update(size for size in apart if size.constant is None)
                types[Port(node.id, at)] = new
    return frozenset(found)


def _made(node: Node, op: Op | None, inputs: tuple[TensorType, ...]) -> Sequence[TensorType] | None:
    """The types of the results of an op for other inputs; None if it does not take them."""
    if op is None or node.instance is None:
        return None
    regions = node.instance.regions
    with suppress(*REFUSALS):
        found, _ = inferred(op, regions, own_inputs(regions, inputs))
        same = [one.rank for one in found] == [one.rank for one in node.types]
        return found if same else None
    return None


def _alike(graph: Graph, node: Node, inputs: Sequence[TensorType]) -> Sequence[TensorType]:
    """The results of a block for other inputs: numbers change as in these, other sizes together."""
    pairs = zip(_sizes(graph.types_read(node)), _sizes(inputs), strict=True)
    became = {old: new for old, new in pairs if old != new}
    types = [
        TensorType(one.dtype, tuple(became.get(size, size) for size in one.shape))
        for one in node.types
    ]
    return types if all(size.constant is not None for size in became) else _larger(types)


def _larger(types: Sequence[TensorType]) -> Sequence[TensorType]:
    """Types of which all sizes of axes differ, except for numbers and the batch."""
    return [
        TensorType(one.dtype, (*one.shape[:1], *map(_other_size, one.shape[1:]))) for one in types
    ]


def _other_size(size: Dim) -> Dim:
    return size + 1 if size.constant is None else size


def _sizes(types: Sequence[Any]) -> list[Dim]:
    return [size for one in types for size in one.shape]


def _variants(graph: Graph, node: Node) -> Iterator[tuple[Expression, Op]]:
    """For each attribute with an expression that has names, the op with another value of it.

    For one that is a list, the op with another value of each name.
    """
    if node.op is None or node.instance is None:
        return
    names = known_numbers(graph)
    for name, written in node.instance.written.items():
        if name not in type(node.op).model_fields or not any(names_in(written)):
            continue
        value = getattr(node.op, name)
        if isinstance(value, tuple):  # one name may change one item of it
            for one in dict.fromkeys(names_in(written)):
                if (changed := _with_another(node, one, names)) is not None:
                    yield Name(one), changed
            continue
        for other in _others(value):
            with suppress(ValidationError):
                yield written, node.op.derived(**{name: other})


def _others(value: Any) -> Iterator[Any]:
    """Another value of an attribute, if it is a number or has numbers."""
    match value:
        case bool():
            yield not value
        case int():
            yield 2 * value if value else 1
        case float():
            yield value / 2 if value else 0.25
        case tuple() if any(isinstance(item, int | float) for item in value):
            yield tuple(next(_others(item), item) for item in value)


def _written(graph: Graph, node: Node, op: Op | None) -> Code:
    """All code of an op with other attributes: of its module, and of its result."""
    lowered = lower(replace(site(graph, node), op=op))
    scope = _Written()
    inputs = [f"x{at}" for at in range(len(node.inputs))]
    result = lowered.apply(inputs, scope) if lowered.apply is not None else ()
    return (*(lowered.module or ()), *(piece for line in scope.lines for piece in line), *result)


class _Written(Scope):
    """A function in which one op is written, without a block around it."""

    def __init__(self) -> None:
        self.lines: list[Code] = []

    def size(self, value: DimLike) -> Code:
        number = dim(value).constant
        return size_code(dim(value)) if number is None else code(Hole(number, "size"))

    def device(self) -> str:
        return "device"

    def dtype(self, dtype: DType) -> str:
        return str(dtype)

    def module(self) -> str:
        return "module"

    def run(self, region: str, *inputs: str) -> Code:
        return call(region, *inputs)

    def training(self) -> str:
        return "training"

    def statement(self, hint: str, *source: Any) -> str:
        self.lines.append(code(*source))
        return hint

    def fresh(self, hint: str) -> str:
        return hint

    def line(self, *source: Any, indent: int = 0) -> None:
        self.lines.append(code(*source))
