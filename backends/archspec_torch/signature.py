"""Arguments and results of generated functions."""

from __future__ import annotations

from collections.abc import Callable

from archspec.graph.model import GraphOutput, Port, Structure
from archspec_torch.code import Argument, Call, Code, call, code
from archspec_torch.layout import Layout
from archspec_torch.names import field_name

Read = Callable[[Port], str]


def has_record(layout: Layout) -> bool:
    """Whether the results are returned under their names."""
    return layout.root and len(layout.results) > 1


def record_fields(layout: Layout) -> list[tuple[str, str]]:
    """Names and annotations of the fields of the result."""
    fields: dict[str, str] = {}
    for result in layout.results:
        annotation = _annotation(result.either.structure)
        name = field_name(result.name, fields)
        fields[name] = f"Optional[{annotation}]" if result.optional else annotation
    return list(fields.items())


def return_annotation(layout: Layout) -> str:
    """What `forward` returns."""
    if layout.needs:
        return "List[Optional[Tensor]]"
    if has_record(layout):
        return layout.record
    if layout.root:
        return _annotation(layout.results[0].either.structure)
    kinds = [
        "Optional[Tensor]" if result.optional else "Tensor"
        for result in layout.results
        for _ in result.either.ports
    ]
    return kinds[0] if len(kinds) == 1 else f"Tuple[{', '.join(kinds)}]"


def return_code(layout: Layout, training: bool, read: Read) -> Code:
    """The expression after `return`."""
    if has_record(layout):
        values = [_value(result.output(training), read) for result in layout.results]
        return call(layout.record, *(Argument(value) for value in values))
    if layout.root:
        only = layout.results[0]
        return _value(only.output(training) or only.either, read)
    values = []
    for result in layout.results:
        output = result.output(training)
        for index in range(len(result.either.ports)):
            values.append(code("None" if output is None else read(output.ports[index])))
    if layout.needs:
        return (Call("", tuple(Argument(value) for value in values), "[]"),)
    return values[0] if len(values) == 1 else call("", *(Argument(value) for value in values))


def _value(output: GraphOutput | None, read: Read) -> Code:
    if output is None:
        return code("None")
    remaining = iter(output.ports)

    def build(structure: Structure) -> Code:
        if structure is None:
            return code(read(next(remaining)))
        items = [Argument(build(part)) for part in structure]
        if len(items) == 1:
            return code("(", items[0].code, ",)")
        return call("", *items)

    return build(output.structure)


def _annotation(structure: Structure) -> str:
    if structure is None:
        return "Tensor"
    inner = ", ".join(_annotation(part) for part in structure)
    return f"Tuple[{inner}]" if inner else "Tuple[()]"


def arguments_text(layout: Layout, tensors: list[str], draws: list[str]) -> str:
    """Arguments of `forward`, without `self`."""
    parts = [
        f"{name}: Optional[Tensor] = None" if item.optional else f"{name}: Tensor"
        for name, item in zip(tensors, layout.inputs, strict=True)
    ]
    if layout.needs:
        parts.append("need: List[bool]")
    parts += [f"{name}: int" for name in draws]
    parts += [f"{layout.locals.extra_name(name)}: int" for name in layout.locals.extra]
    return ", ".join(parts)
