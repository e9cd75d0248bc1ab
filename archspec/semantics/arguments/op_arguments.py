"""Attributes of a primitive op: sorted, converted to plain data, and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.suggest import beginning, closest, rename
from archspec.ops.base import Op
from archspec.ops.symbols import WITH_SYMBOLS
from archspec.semantics.arguments.batch_sizes import without_batch
from archspec.semantics.arguments.torch_habits import amounts_here, too_many
from archspec.semantics.program.op_attributes import attribute_names, positional
from archspec.semantics.values.bare_words import choices, word_meant
from archspec.semantics.values.context import Context, NotInductive, SpecError
from archspec.semantics.values.display import kind_of, show
from archspec.semantics.values.evaluation import force
from archspec.semantics.values.functions import range_items
from archspec.semantics.values.model import (
    BlockLayer,
    Given,
    ListValue,
    OpLayer,
    RangeValue,
    Value,
    is_layer,
)
from archspec.semantics.values.operators import plain
from archspec.source import Span
from archspec.types.dim import Dim


def complete(
    context: Context, layer: OpLayer, data: Value, span: Span
) -> tuple[Op, dict[str, Given]]:
    """The op with all its attributes, and the layers it holds.

    `data` is its input; if there are too many attributes, it helps to find the intended ones.
    Raises SpecError for the first attribute that is missing or wrong; the others are reported too.
    """
    cache_key = ("op", layer.op.name, context.session.keys.of(layer))
    session = context.session
    made = session.op_results.get(cache_key)
    if made is not None and not layer.op.regions:
        return made, {}
    by_name, extra, open_pairs = _sorted(context, layer, data)
    layers = {name: by_name.pop(name) for name in layer.op.regions if name in by_name}
    for name in layer.op.regions:
        if name not in layers:
            raise context.error("E0303", f"`{layer.op.name}` needs the layer `{name}`", span)
    given = (*by_name.values(), *extra, *open_pairs)
    if made is not None:
        return made, layers
    known = all(_is_known(item.value) for item in given)
    attributes: dict[str, Any] = {
        name: _attribute(context, word_meant(choices(layer.op, name), item.value), item.span)
        for name, item in by_name.items()
    }
    if layer.op.variadic is not None and extra:
        values = tuple(_attribute(context, item.value, item.span) for item in extra)
        whole = len(values) == 1 and isinstance(values[0], tuple)
        attributes[layer.op.variadic] = values[0] if whole else values
    if layer.op.open_attributes is not None:
        attributes[layer.op.open_attributes] = tuple(
            (item.name, _attribute(context, item.value, item.span)) for item in open_pairs
        )
    symbols = WITH_SYMBOLS if session.inductive else None
    try:
        op = layer.op.model_validate(attributes, context=symbols)
    except ValidationError as error:
        raise _attribute_errors(context, layer, by_name, error, span) from None
    if known:
        session.op_results[cache_key] = op
    return op, layers


def _is_known(value: Value) -> bool:
    """Whether the value is final: the value of a rule may depend on the mode."""
    if isinstance(value, (ListValue, tuple)):
        return all(_is_known(item) for item in (value if isinstance(value, tuple) else value.items))
    return not isinstance(value, BlockLayer)


def _sorted(
    context: Context, layer: OpLayer, data: Value
) -> tuple[dict[str, Given], list[Given], list[Given]]:
    op = layer.op
    order, names = positional(op), attribute_names(op)
    by_name: dict[str, Given] = {}
    extra: list[Given] = []
    open_pairs: list[Given] = []
    position = 0
    for item in layer.given:
        if item.name is None:
            if op.variadic is not None:
                by_name.pop(op.variadic, None)
                extra.append(item)
            elif position < len(order):
                by_name[order[position]] = item
                position += 1
            else:
                raise too_many(context, layer, item, data)
        elif item.name in names or item.name == op.variadic:
            by_name[item.name] = item
            extra = [] if item.name == op.variadic else extra
        elif op.open_attributes is not None:
            open_pairs.append(item)
        else:
            raise context.error(
                "E0302",
                f"`{op.name}` has no attribute `{item.name}`",
                item.span,
                notes=(f"it has {', '.join(names)}",) if names else (),
                fix=rename(beginning(item.span, item.name), item.name, names),
            )
    return by_name, extra, open_pairs


def attributes_in_order(context: Context, layer: OpLayer, data: Value) -> Mapping[str, Given]:
    """The arguments of an op by attribute. Raises SpecError: E0302, E0303."""
    return _sorted(context, layer, data)[0]


def literal_fault(
    context: Context, op: type[Op], name: str, by_name: Mapping[str, Given]
) -> SpecError | None:
    """The error for an attribute's value that does not depend on other attributes, or None."""
    item = by_name[name]
    try:
        op.model_validate({name: _attribute(context, item.value, item.span)})
    except ValidationError as error:
        for detail in error.errors():
            if detail["loc"][:1] == (name,) and not _is_missing(detail):
                code, message = _what_is_wrong(op, name, detail)
                fix = _as_same(op, by_name, name)
                fix = fix or _meant(context, name, item.value, detail, item.span)
                return context.error(code, message, item.span, fix=fix)
    return None


def _attribute(context: Context, value: Value, span: Span) -> Any:
    value = plain(force(context, value, span))
    if isinstance(value, ListValue):
        return tuple(_attribute(context, item, span) for item in value.items)
    if isinstance(value, tuple):
        return tuple(_attribute(context, item, span) for item in value)
    if isinstance(value, RangeValue):
        return range_items(context, value, span)
    if is_layer(value):
        raise context.error("E0301", "this attribute is a value, not a layer", span)
    return value


def _attribute_errors(
    context: Context,
    layer: OpLayer,
    by_name: Mapping[str, Given],
    error: ValidationError,
    span: Span,
) -> SpecError:
    found: dict[str, SpecError] = {}
    if context.session.inductive:
        for detail in error.errors():
            if isinstance(detail["input"], Dim):
                raise NotInductive(f"`{layer.op.name}` needs a number for `{detail['loc'][0]}`")
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else ""
        if name in found:
            continue
        if _is_missing(detail):
            found[name] = missing_attribute(context, layer.op, name, span)
            continue
        place = by_name[name].span if name in by_name else span
        code, message = _what_is_wrong(layer.op, name, detail)
        value = by_name[name].value if name in by_name else None
        if name == layer.op.variadic and len(detail["loc"]) > 1:
            place = _part(layer, detail["loc"][1], place)
        fix = _as_same(layer.op, by_name, name) or _meant(context, name, value, detail, place)
        found[name] = context.error(code, message, place, fix=fix)
    first, *others = found.values()
    for other in others:
        context.session.report(other)
    return first


def _as_same(op: type[Op], by_name: Mapping[str, Given], name: str) -> Fix | None:
    """The numbers for `padding="same"`, if kernel and stride are one number each."""
    if name != "padding" or name not in by_name or by_name[name].value not in ("same", "SAME"):
        return None
    kernel, stride, dilation = (
        by_name[key].value if key in by_name else 1 for key in ("kernel", "stride", "dilation")
    )
    if not isinstance(kernel, int) or not isinstance(stride, int) or dilation != 1:
        return None
    found = op.padding_as_same(kernel, stride)
    if found is None:
        return None
    place = by_name[name].span
    written = ", ".join(f"{key}={number}" for key, number in found.items())
    edits = (Edit(place, written),) if place.text.startswith(name) else ()
    return Fix(f"write `{written}`", edits)


def _part(layer: OpLayer, index: object, whole: Span) -> Span:
    """The place of one of the positional arguments that are collected in an attribute."""
    places = [item.span for item in layer.given if item.name is None]
    apart = len(set(places)) == len(places)
    return places[index] if isinstance(index, int) and apart and index < len(places) else whole


def _what_is_wrong(op: type[Op], name: str, detail: Any) -> tuple[str, str]:
    value = detail["input"]
    what = f"`{name}` of `{op.name}`"
    shown = kind_of(plain(value)) if not isinstance(value, (dict, type(None))) else "nothing"
    if shown == "a dimension":
        return "E0403", f"{what} must be a fixed number, but `{value}` depends on a free size"
    if detail["type"] == "value_error":
        return "E0301", f"{what}: {detail['ctx']['error']}"
    bound = _BOUNDS.get(detail["type"])
    if bound is not None:
        words, limit = bound
        return "E0301", f"{what} must be {words} {detail['ctx'][limit]}, but it is {show(value)}"
    wanted = _KINDS.get(detail["type"])
    if wanted is None:
        wanted = str(detail["msg"]).removeprefix("Input should be ").replace("'", "`")
    if name == "amounts":
        shown = show(value) if isinstance(value, tuple | int) else shown
        return "E0301", f"each amount of `{op.name}` is (axis, before, after), not {shown}"
    if detail["type"] == "missing":
        return "E0301", f"{what}: {show(value)} has too few parts"
    if wanted == "an integer" and isinstance(value, float):
        return "E0301", f"{what} must be an integer, but it is {show(value)}"
    return "E0301", f"{what} must be {wanted}, not {shown}"


def missing_attribute(context: Context, op: type[Op], name: str, span: Span) -> SpecError:
    """The error for a missing attribute of an op."""
    needed = [key for key, info in op.model_fields.items() if info.is_required() or key == name]
    written = f"it is written `{op.name}({', '.join(needed)})`"
    if op.written_as:
        written = f"it is declared by a statement: `{op.written_as} name: f32[..] = value`"
    return context.error("E0303", f"`{op.name}` needs `{name}`", span, notes=(written,))


def _is_missing(detail: Any) -> bool:
    """Whether the attribute itself is missing, and not a part of its value."""
    return bool(detail["type"] == "missing" and len(detail["loc"]) < 2)


def _meant(context: Context, name: str, value: Value | None, detail: Any, span: Span) -> Fix | None:
    """A fix for the value of an attribute."""
    if name == "amounts" and value is not None:
        return amounts_here(value, span)
    given = detail["input"]
    if isinstance(given, Dim):
        first = name == "shape" and detail["loc"][1:] == (0,)
        return _free_size(context, given, value if first else None)
    listed = isinstance(value, ListValue) and isinstance(given, tuple | list)
    if listed and detail["type"] in ("int_type", "dataclass_type"):
        word = span.text if span.text.isidentifier() else "widths"
        return _pair_of_loop(span) or Fix(f"for a layer of each: `for w in {word} {{ f(w) }}`")
    if detail["type"] == "greater_than" and span.text.isidentifier():
        return _number_first(span)
    if isinstance(given, str) and "->" in given:
        return _pattern(span)
    if isinstance(given, str) and detail["type"] == "literal_error":
        allowed = re.findall(r"'(\w+)'", str(detail["ctx"]["expected"]))
        near = closest(given, allowed, cutoff=0.6)
        at = span.text.rfind(given)
        place = Span(span.source, span.start + at, span.start + at + len(given))
        edits = (Edit(place, near),) if near and at >= 0 else ()
        return Fix(f"did you mean `{near}`?", edits) if near else None
    if isinstance(value, tuple | ListValue) and span.text.isidentifier():
        return _pair_of_loop(span)
    if isinstance(given, str) and re.fullmatch(r"\d+(\.\d+)?", given):
        at = span.text.rfind(f'"{given}"')
        place = Span(span.source, span.start + at, span.start + at + len(given) + 2)
        return Fix(f"write `{given}`, without quotes", (Edit(place, given),) if at >= 0 else ())
    return whole_number(detail, span)


def _free_size(context: Context, given: Dim, shape: Value | None) -> Fix | None:
    """The fix for a free size in an attribute, `shape` if it is the first size of that."""
    if isinstance(shape, ListValue):
        advice = without_batch(context, [plain(item) for item in shape.items])
        if advice is not None:
            return Fix(advice)
    words = (
        f"a fixed size is a parameter of the network, `{given}: int = 64`, and in the type "
        f"of the input just `{given}`, without a default"
    )
    return Fix(words) if str(given).isidentifier() else None


def _number_first(span: Span) -> Fix | None:
    """The fix for `for w, i in enumerate(widths)`."""
    name, before = re.escape(span.text), span.source.text[max(0, span.start - 2_000) : span.start]
    found = [*re.finditer(rf"\bfor ({name}, (\w+)) in enumerate\b", before)]
    if not found:
        return None
    at = span.start - len(before)
    place = Span(span.source, at + found[-1].start(1), at + found[-1].end(1))
    written = f"{found[-1][2]}, {span.text}"
    return Fix(f"the number comes first: `for {written} in enumerate(..)`", (Edit(place, written),))


def _pattern(span: Span) -> Fix:
    """The fix for `permute("b h w c -> b c h w")`."""
    text = span.source.text
    found = re.search(r"([a-z_]+)\(\Z", text[max(0, span.start - 40) : span.start])
    words = f"axes by names are those of `rearrange({span.text})`"
    if found is None:
        return Fix(words)
    start = span.start - len(found[0])
    place = Span(span.source, start, start + len(found[1]))
    return Fix(words, (Edit(place, "rearrange"),))


def _pair_of_loop(span: Span) -> Fix | None:
    """The fix for `for w in enumerate(widths)`, whose items are pairs."""
    name, before = span.text, span.source.text[max(0, span.start - 2_000) : span.start]
    found = [*re.finditer(rf"\bfor ({name}) in (enumerate|zip)\b", before)]
    if not found:
        return None
    if found[-1][2] == "zip":
        return Fix("an item of `zip` has a part of each list: `for a, b in zip(..)`")
    at = span.start - len(before) + found[-1].start(1)
    place = Span(span.source, at, at + len(name))
    words = f"an item of `enumerate` is its number and the item: `for i, {name} in enumerate(..)`"
    return Fix(words, (Edit(place, f"i, {name}"),))


_DIVISION = re.compile(r"(?<!/)/(?!/)")


def whole_number(detail: Any, span: Span) -> Fix | None:
    """A fix that writes a float, or the word for a padding, as an integer where one is needed."""
    value, text = detail["input"], span.text
    if isinstance(value, str) and value.lower() in ("same", "valid"):
        number = "half of an odd kernel, `padding=1` for 3" if value.lower() == "same" else "`0`"
        return Fix(f"write a number: {number}")
    if detail["type"] not in ("int_type", "int_from_float") or not isinstance(value, float):
        return None
    name = re.match(r"[A-Za-z_]\w*[ ]*=(?!=)[ ]*", text)
    start = span.start + (name.end() if name else 0)
    place = Span(span.source, start, span.end)
    divisions = [*_DIVISION.finditer(place.text)]
    if len(divisions) == 1:
        at = place.start + divisions[0].start()
        edit = Edit(Span(span.source, at, at + 1), "//")
        return Fix("`/` gives a float: write `//`", (edit,))
    if value.is_integer() and re.fullmatch(r"[0-9.]+", place.text):
        return Fix(f"write `{int(value)}`", (Edit(place, str(int(value))),))
    if re.fullmatch(r"[A-Za-z_]\w*", place.text):
        words = "a division by `/` gives a float: divide by `//` where it is bound, or write "
        edit = Edit(place, f"int({place.text})")
        return Fix(f"{words}`int({place.text})`", (_divided(place) or edit,), (edit,))
    return Fix(f"write `int({place.text})`", (Edit(place, f"int({place.text})"),))


def _divided(place: Span) -> Edit | None:
    """The edit of `d = C / heads` to `//`, if the last binding of a name is a quotient."""
    text, name = place.source.text, re.escape(place.text)
    bound = re.compile(rf"^[ \t]*{name}[ ]*=[ ]*[^=/\n]+(/)[^/\n]+$", re.MULTILINE)
    begin = max(0, place.start - 2_000)
    found = [*bound.finditer(text, begin, place.start)]
    if not found:
        return None
    return Edit(Span(place.source, found[-1].start(1), found[-1].end(1)), "//")


_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
"""Texts for pydantic's error types, with the keys of their limits."""

_KINDS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a string",
    "tuple_type": "a list",
}
