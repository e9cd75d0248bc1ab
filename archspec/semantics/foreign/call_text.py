"""The text of a call of an op, composed from the arguments of a foreign call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol

from archspec.ops.registry import all_ops
from archspec.semantics.foreign import rows
from archspec.semantics.foreign.rows import Row, Slot
from archspec.semantics.foreign.words import ACTIVATIONS, INITIALISERS, LEFT_OUT, NOTES
from archspec.semantics.program.op_attributes import positional
from archspec.syntax import ast

_SAME_IN_ALL = ("kernel", "stride", "padding", "dilation", "output_padding", "scale", "size")
"""Attributes for which one number means equal numbers on all axes."""


_SIZE_OF = re.compile(r"(\w+)\.(?:shape|size\(\))\[-?2:\]")
"""The size of the image of another tensor."""


_AS_LISTS = ("data", "list of data", "rest", "amounts", "margins", "whole", "shape")
"""Kinds of arguments that may be lists."""


_HALF = "the default padding is that of `same`, for odd kernels"


class CannotRewrite(Exception):
    """An argument of a call has no counterpart here."""


class Writer(Protocol):
    """Writes the arguments of a call."""

    @property
    def known(self) -> Callable[[str], bool]:
        """Whether a name has a meaning here."""

    def text(self, node: ast.Expr) -> str:
        """An expression in the notation of specs."""

    def data(self, node: ast.Expr) -> str:
        """An argument that is data."""


def path_of(node: ast.Expr) -> tuple[str, ...]:
    """The words of `a.b.c`; empty if the first part is not a name."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.name)
        node = node.base
    if not isinstance(node, ast.Name):
        return ()
    return (node.text, *reversed(words))


class CallText:
    """A call under construction."""

    def __init__(self, rewriter: Writer, op: str, written_as: str = "") -> None:
        self.rewriter, self.op = rewriter, op
        self.name = written_as or op
        model = all_ops().get(op)
        self.order = positional(model) if model is not None else ()
        self.arguments: list[tuple[str, str]] = []
        self.places: list[str] = []
        self.seen: set[str] = set()
        self.inputs: list[str] = []
        self.sizes: list[str] = []
        self.behind = ""
        self.label = ""
        self.pads_as_same = False
        self.notes: list[str] = []

    def take(self, slot: Slot, argument: ast.Argument) -> None:
        """Add an argument of the foreign call. Raises CannotRewrite."""
        node = argument.value
        self.seen.update((slot.theirs, slot.ours))
        if slot.kind == "attribute":
            self.attribute(slot, argument)
        elif slot.kind in _AS_LISTS:
            self.listed(slot, node)
        elif slot.kind == "sizes" and isinstance(node, ast.ListExpr | ast.TupleExpr):
            self.attribute(slot, argument)
        elif slot.kind == "left out":
            self.notes.extend(NOTES.get(slot.theirs, ()))
        elif slot.kind == "activation":
            self.behind = _activation(node)
        elif slot.kind == "initialiser":
            self.named(slot.ours, _initialiser(node))
        elif slot.kind == "label":
            self.label = _string(node)
        elif _string(node).lower() != "valid":
            raise CannotRewrite

    def listed(self, slot: Slot, node: ast.Expr) -> None:
        """Add data, or an argument that becomes one or more positional attributes."""
        text = self.rewriter.text
        items = node.items if isinstance(node, ast.ListExpr | ast.TupleExpr) else (node,)
        match slot.kind:
            case "data" if isinstance(node, ast.Number):
                raise CannotRewrite
            case "data" if not (isinstance(node, ast.Name) and node.text == "None"):
                self.inputs.append(self.rewriter.data(node))
            case "list of data":
                self.inputs.extend(map(text, items))
            case "rest":
                self.places.extend(map(text, items))
            case "shape":
                self.sizes.extend(map(text, items))
            case "margins" | "amounts":
                self.places.append((_margins if slot.kind == "margins" else _amounts)(node))
            case "whole":
                if self.op == "reshape" and not self.rewriter.known("B"):
                    raise CannotRewrite
                first = items[0].span.text if items else ""
                if first != "B":
                    self.places.append("B" if self.op == "reshape" else "0")
                self.places.extend(map(text, items))

    def attribute(self, slot: Slot, argument: ast.Argument) -> None:
        """Add an attribute that has a counterpart."""
        if slot.ours == "pattern" and self.op == "einsum":
            self.places.append(_equation(argument.value))
            return
        if isinstance(argument.value, ast.Name) and argument.value.text == "None":
            if slot.ours == "bias":
                self.named("bias", "false")
            return
        worded = slot.ours == "padding" and isinstance(argument.value, ast.Text)
        if worded and self.padded(_string(argument.value).lower()):
            return
        if slot.ours == "size" and (like := _SIZE_OF.fullmatch(argument.value.span.text)):
            self.resized_like(like[1])
            return
        value = _value(self.rewriter, slot.ours, argument.value)
        at = len(self.places)
        next_in_order = at < len(self.order) and self.order[at] == slot.ours
        model = all_ops().get(self.op)
        needed = (
            model is not None and model.model_fields[slot.ours].is_required()
            if slot.ours in getattr(model, "model_fields", ())
            else not slot.ours
        )
        in_order = next_in_order and (argument.name is None or needed)
        in_order = in_order and slot.ours not in ("axis", "axes")
        if (in_order and not self.arguments) or not slot.ours:
            self.places.append(value)
        else:
            self.named(slot.ours, value)

    def padded(self, word: str) -> bool:
        """Add a padding given as a word, as in Keras and Flax; return whether that is possible."""
        if word == "valid":
            self.named("padding", "0")
            return True
        self.pads_as_same = word == "same"
        model = all_ops().get(self.op)
        default = model.model_fields["padding"].default if model is not None else None
        kernel = self.places[1] if len(self.places) > 1 else "3"
        if word != "same" or default != "half" or not kernel.isdecimal() or int(kernel) % 2 == 0:
            return False
        self.notes.append(_HALF)
        self.seen.add("padding")
        return True

    def resized_like(self, other: str) -> None:
        """Write `resize_like` for a size that is read from another tensor."""
        if f"{self.op}_like" not in all_ops() or not self.inputs:
            raise CannotRewrite
        self.name = f"{self.op}_like"
        self.inputs.append(other)

    def named(self, name: str, value: str) -> None:
        """Add a named attribute."""
        self.arguments.append((name, value))

    def complete(self, slot: Slot) -> None:
        """Write a default that differs from the default of the op here."""
        if not slot.default or slot.theirs in self.seen or slot.ours in self.seen:
            return
        if slot.kind == "amounts":
            self.places.append(f"[(2, {slot.default}, {slot.default}), (3, {slot.default}, "
                               f"{slot.default})]")  # fmt: skip
        elif not self.arguments and self.order[len(self.places) :][:1] == (slot.ours,):
            self.places.append(slot.default)
        else:
            self.named(slot.ours, slot.default)
        self.seen.add(slot.ours)
        if slot.ours == "padding":
            self.notes.append("without `padding`, `conv` keeps the size of the image in archspec")

    def all_notes(self) -> tuple[str, ...]:
        """The notes on the arguments, with one on `same` of TensorFlow if there is a stride."""
        given = dict([*zip(self.order, self.places, strict=False), *self.arguments])
        kernel = _one_size(given.get("kernel", ""))
        stride = _one_size(given.get("stride", str(kernel) if "pool" in self.op else "1"))
        if not self.pads_as_same or not 1 < stride <= kernel or self.op == "conv_transpose":
            return tuple(self.notes)
        strided = (
            "with a stride, TensorFlow's `same` has more zeros at the end; for its weights write "
            f"`same_padding({kernel}, {stride})` of `std.cnn` before it, and `padding=0`"
        )
        return (*(one for one in self.notes if one != _HALF), strided)

    def lacks(self) -> bool:
        """Whether a required attribute of the op is missing."""
        model = all_ops().get(self.op)
        given = {*self.order[: len(self.places)], *(name for name, _ in self.arguments)}
        needed = model.model_fields.items() if model is not None and not model.variadic else ()
        return any(info.is_required() and name not in given for name, info in needed)

    def written(self) -> str:
        """The whole call, preceded by its data."""
        pairs = [f"{name}={value}" for name, value in _with_padding(self)]
        shape = [f"[{', '.join(self.sizes)}]"] if self.sizes else []
        inside = ", ".join([*shape, *self.places, *pairs])
        call = f"{self.name}({inside})" if inside else self.name
        stages = [item for item in (call, self.behind) if item]
        if self.label:
            label = self.label if self.label.isidentifier() else f'"{self.label}"'
            stages[0] = f"{label}: {stages[0]}"
        if self.inputs:
            stages.insert(0, tuple_text(self.inputs))
        if not stages:
            raise CannotRewrite
        return " -> ".join(stages)


# ---------------------------------------------------------------------- arguments


def _with_padding(call: CallText) -> list[tuple[str, str]]:
    """The named attributes of a call, with numbers for the padding `same` if they are known."""
    given = dict([*zip(call.order, call.places, strict=False), *call.arguments])
    kernel, stride = (_one_size(given.get(key, "1")) for key in ("kernel", "stride"))
    known = call.pads_as_same and kernel and stride
    model = all_ops().get(call.op)
    if not known or model is None or "padding" not in given or "dilation" in given:
        return call.arguments
    found = model.padding_as_same(kernel, stride)
    if found is None:
        return call.arguments
    others = [(name, value) for name, value in call.arguments if name not in found]
    return [*others, *((name, str(number)) for name, number in found.items())]


def _one_size(text: str) -> int:
    """The number for `3`; 0 for a size that is not one number."""
    return int(text) if text.isdecimal() else 0


def matched(
    slots: list[Slot], arguments: list[ast.Argument]
) -> Iterable[tuple[Slot, ast.Argument]]:
    """Each argument with its slot. Raises CannotRewrite if it has none."""
    by_name = {slot.theirs: slot for slot in slots}
    order = [slot for at, slot in enumerate(slots) if slot.ours not in _earlier(slots, at)]
    rest = next((slot for slot in slots if slot.kind in ("rest", "shape")), None)
    at = 0
    for argument in arguments:
        if isinstance(argument.value, ast.Spread):
            raise CannotRewrite
        if argument.name is not None:
            slot = by_name.get(argument.name)
            slot = slot or next((one for one in slots if one.ours == argument.name), None)
            slot = slot or next(
                (one for one in slots if rows.is_short(argument.name, one.ours)), None
            )
            if slot is None and argument.name in ("axis", "dim"):
                slot = by_name.get({"axis": "dim", "dim": "axis"}[argument.name])
        elif at < len(order):
            slot = order[at]
            at += slot.kind not in ("rest", "shape")
        else:
            slot = rest
        if slot is None and argument.name in LEFT_OUT:
            continue
        if slot is None:
            raise CannotRewrite
        yield slot, argument


def _earlier(slots: list[Slot], at: int) -> set[str]:
    """Attributes of earlier slots; a second name of one takes no position."""
    return {slot.ours for slot in slots[:at] if slot.kind in ("attribute", "margins")}


def _value(rewriter: Writer, name: str, node: ast.Expr) -> str:
    if isinstance(node, ast.TupleExpr | ast.ListExpr):
        items = [rewriter.text(item) for item in node.items]
        if name in _SAME_IN_ALL and len(set(items)) == 1:
            return items[0]
        return f"[{', '.join(items)}]"
    if name == "keepdim" and isinstance(node, ast.Number):
        return "true" if node.value else "false"
    return rewriter.text(node)


def _string(node: ast.Expr) -> str:
    """The characters of a plain string. Raises CannotRewrite for anything else."""
    if isinstance(node, ast.Text) and all(isinstance(part, str) for part in node.parts):
        return "".join(str(part) for part in node.parts)
    if isinstance(node, ast.Name):
        return node.text
    raise CannotRewrite


def _activation(node: ast.Expr) -> str:
    path = path_of(node)
    name = rows.plain(path[-1] if len(path) > 1 else _string(node))
    if name in ("linear", "none"):
        return ""
    ops = {rows.plain(op): op for op in all_ops()}
    found = ACTIVATIONS.get(name) or ops.get(name)
    if found is None or all_ops()[found].category != "activation":
        raise CannotRewrite
    return found


def _initialiser(node: ast.Expr) -> str:
    node = node.function if isinstance(node, ast.Call) and not node.arguments else node
    path = path_of(node)
    found = INITIALISERS.get(rows.plain(path[-1] if path else _string(node)))
    if found is None:
        raise CannotRewrite
    return found


def _amounts(node: ast.Expr) -> str:
    """Image padding as amounts of `pad`: one number, or (left, right, top, bottom)."""
    if isinstance(node, ast.Number):
        return f"[(2, {node.span.text}, {node.span.text}), (3, {node.span.text}, {node.span.text})]"
    if isinstance(node, ast.TupleExpr | ast.ListExpr):
        items = [item.span.text for item in node.items]
        if len(items) == 4 and all(isinstance(item, ast.Number) for item in node.items):
            left, right, top, bottom = items
            return f"[(2, {top}, {bottom}), (3, {left}, {right})]"
        if len(items) == 2 and all(isinstance(item, ast.Number) for item in node.items):
            rows_, columns = items
            return f"[(2, {rows_}, {rows_}), (3, {columns}, {columns})]"
    raise CannotRewrite


def _margins(node: ast.Expr) -> str:
    """`(l, r, t, b)` of `F.pad`, from the last axis backwards, or a pair for each axis."""
    items = _listed(node)
    pairs = [one.items for one in items if isinstance(one, _LISTS) and len(one.items) == 2]
    if len(pairs) == len(items):
        found = [(at, *pair) for at, pair in enumerate(pairs)]
    elif pairs or len(items) % 2:
        raise CannotRewrite
    else:
        halves = zip(items[::2], items[1::2], strict=True)
        found = [(-at, *pair) for at, pair in enumerate(halves, start=1)][::-1]
    texts = [(str(axis), one.span.text, other.span.text) for axis, one, other in found]
    return f"[{', '.join(f'({a}, {b}, {c})' for a, b, c in texts if (b, c) != ('0', '0'))}]"


_LISTS = (ast.TupleExpr, ast.ListExpr)


def _listed(node: ast.Expr) -> tuple[ast.Expr, ...]:
    if not isinstance(node, ast.TupleExpr | ast.ListExpr):
        raise CannotRewrite
    return node.items


def _equation(node: ast.Expr) -> str:
    """`"bnd,bmd->bnm"` with spaces between the letters: `"b n d, b m d -> b n m"`."""
    text = _string(node)
    if re.fullmatch(r"[A-Za-z, .]+->[A-Za-z .]*", text) is None or "." in text:
        raise CannotRewrite
    left, _, right = text.replace(" ", "").partition("->")
    inputs = ", ".join(" ".join(letters) for letters in left.split(","))
    return f'"{inputs} -> {" ".join(right)}"'


def is_value(node: ast.Expr) -> bool:
    """Whether an argument cannot be data."""
    return isinstance(node, ast.Number | ast.Unary) or (
        isinstance(node, ast.Name) and node.text in ("True", "False", "true", "false", "None")
    )


def uses(row: Row) -> tuple[str, str] | None:
    """The module and name to import for a row of the standard library."""
    return (f"std.{row.module}", row.op) if row.module else None


def tuple_text(items: list[str]) -> str:
    """Several texts as a tuple; a single one unchanged."""
    return items[0] if len(items) == 1 else f"({', '.join(items)})"
