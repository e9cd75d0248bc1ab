"""Arguments and results of generated functions."""

from __future__ import annotations

from collections.abc import Callable

from archspec.graph.model import GraphOutput, Port, Structure
from archspec_torch.code.names import field_name, python_names
from archspec_torch.code.pieces import Argument, Call, Code, call, code, kind
from archspec_torch.planning.layout import Layout

Read = Callable[[Port], str]

MODES = (False, True)
"""Values of `training`."""


def name_records(layout: Layout, base: str) -> None:
    """Name the classes of the results of a network that has several results.

    Training has another class if its results differ from those of inference. Neither has the name
    of an argument or a size in `forward`.
    """
    names = python_names((*(item.name for item in layout.inputs), *layout.locals[0].known))
    plain, training = (_fields(layout, mode) if _is_several(layout, mode) else [] for mode in MODES)
    first = second = names.fresh(f"{base}Output") if plain or training else ""
    if plain and training and plain != training:
        second = names.fresh(f"{base}TrainingOutput")
    layout.records = (first if plain else "", second if training else "")


def record_fields(layout: Layout) -> dict[str, list[tuple[str, str]]]:
    """For each class of results, the names and annotations of its fields."""
    return {layout.records[mode]: _fields(layout, mode) for mode in MODES if layout.records[mode]}


def return_annotation(layout: Layout) -> str:
    """The return type of `forward`: one type if both modes return the same.

    TorchScript has no union of two similar tuple types, so that is `Any`.
    """
    kinds = dict.fromkeys(_returned(layout, mode) for mode in MODES)
    if len(kinds) == 1:
        return next(iter(kinds))
    return f"Union[{', '.join(kinds)}]" if "Tensor" in kinds else "Any"


def returns_differ(layout: Layout) -> bool:
    """Whether a caller has to distinguish two types of results: one tensor, or a tuple."""
    return len({_returned(layout, mode) for mode in MODES}) > 1


def return_code(layout: Layout, training: bool, read: Read) -> Code:
    """The expression after `return`. Outputs that do not exist in the mode are left out."""
    outputs = layout.unit.outputs(training)
    if layout.records[training]:
        values = [Argument(_value(output, read)) for output in outputs]
        return call(layout.records[training], *values)
    if layout.root:
        return _value(outputs[0], read)
    values = [Argument(code(read(port))) for output in outputs for port in output.ports]
    if layout.needs or _is_list(layout):
        return (Call("", tuple(values), "[]"),)
    return values[0].code if len(values) == 1 else call("", *values)


def _fields(layout: Layout, training: bool) -> list[tuple[str, str]]:
    """Names and annotations of the results in one mode."""
    fields: dict[str, str] = {}
    for output in layout.unit.outputs(training):
        fields[field_name(output.name, fields)] = _annotation(output.structure)
    return list(fields.items())


def _is_several(layout: Layout, training: bool) -> bool:
    return len(layout.unit.outputs(training)) > 1


def _returned(layout: Layout, training: bool) -> str:
    """The results of `forward` in one mode."""
    if layout.needs:
        return "List[Optional[Tensor]]"
    if layout.root:
        return layout.records[training] or _annotation(layout.unit.outputs(training)[0].structure)
    count = _count(layout, training)
    if count == 1:
        return "Tensor"
    return "List[Tensor]" if _is_list(layout) else f"Tuple[{', '.join(['Tensor'] * count)}]"


def _is_list(layout: Layout) -> bool:
    """Whether a block returns several tensors in both modes, and different numbers of them.

    TorchScript treats tuples of two lengths as different types.
    """
    counts = {_count(layout, mode) for mode in MODES}
    return len(counts) > 1 and 1 not in counts


def _count(layout: Layout, training: bool) -> int:
    return len(layout.unit.graph(training).output_ports)


def _value(output: GraphOutput, read: Read) -> Code:
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
    """Arguments of `forward`, without `self`; those of some specialisations only come last."""
    parts = [
        f"{name}: Optional[Tensor] = None" if item.optional else f"{name}: Tensor"
        for name, item in zip(tensors, layout.inputs, strict=True)
        if item.name not in layout.optional
    ]
    if layout.needs:
        parts.append("need: List[bool]")
    parts += [f"{name}: int" for name in draws]
    parts += [f"{layout.locals[0].extra_name(name)}: int" for name in layout.extra]
    parts += [f"{item.name}: {kind(item.value)}" for item in layout.use_arguments]
    parts += [f"{name}: Optional[Tensor] = None" for name in layout.optional]
    return ", ".join(parts)
