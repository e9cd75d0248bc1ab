"""Rewrites foreign calls: `nn.Conv2d(3, 64, 3, padding=1)` becomes `conv(64, 3, padding=1)`.

Only the text is considered; nothing is evaluated. The text is offered as a fix only after it was
tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from archspec.diagnostics.changes import apply
from archspec.diagnostics.model import Edit
from archspec.frozen import frozen
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.foreign import rows, transformers
from archspec.semantics.foreign.call_text import (
    CallText,
    CannotRewrite,
    is_value,
    matched,
    path_of,
    tuple_text,
    uses,
)
from archspec.semantics.foreign.places import in_place
from archspec.semantics.foreign.rows import Row, Slot
from archspec.semantics.foreign.words import ADVICE
from archspec.semantics.foreign.wrappers import unwrapped
from archspec.semantics.program.op_attributes import positional
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.range_steps import stepped

MAX_TEXT = 2_000
"""Maximum number of characters of a call that is rewritten."""

_LITERALS = {"True": "true", "False": "false"}
_OWN = frozenset({"torch", "nn", "F", "tf", "keras", "layers", "np", "numpy", "math", "jnp", "jax"})


@frozen
class Written:
    """A call in the notation of specs. `op` is its name, `uses` the module and name to `use`."""

    text: str
    op: str
    uses: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()


class Rewriter:
    """Rewrites foreign calls as calls of ops.

    `known` returns whether a name has a meaning here, `size` the text of `x.shape[1]` if it is
    known.
    """

    def __init__(
        self,
        known: Callable[[str], bool],
        size: Callable[[ast.Node], str | None] = lambda node: None,
    ) -> None:
        self.known = known
        self.size = size

    # -- which row ---------------------------------------------------------------------------

    def row(self, function: ast.Expr) -> Row | None:
        """The row of a called function, if it has a foreign name."""
        path = path_of(function)
        if not path or self.known(path[0]) or (path[0] == "self" and len(path) == 2):
            return None
        return find_row(path)

    # -- text --------------------------------------------------------------------------------

    def text(self, node: ast.Expr) -> str:
        """An expression with all foreign calls in it rewritten."""
        edits: list[Edit] = []
        stack: list[object] = [node]
        while stack:
            item = stack.pop()
            if isinstance(item, ast.Node):
                written = self._expression(item) if isinstance(item, _EXPRESSIONS) else None
                if written is not None:
                    place: Span = item.span  # type: ignore[attr-defined]
                    edits.append(Edit(place, in_place(written, place)))
                else:
                    stack.extend(item.parts)
            elif isinstance(item, tuple):
                stack.extend(item)
        return apply(edits, node.span)

    def _expression(self, node: ast.Node) -> str | None:
        if isinstance(node, ast.Name):
            return _LITERALS.get(node.text) if not self.known(node.text) else None
        if isinstance(node, ast.Text):
            quoted = node.span.text
            return f'"{quoted[1:-1]}"' if quoted[:1] == "'" else None
        if (size := self.size(node)) is not None:
            return size
        if isinstance(node, ast.Unary) and node.span.text[:1] in ("~", "!"):
            return f"not {self.text(node.operand)}"
        if isinstance(node, ast.Call):
            if (number := self.of_numbers(node)) is not None:
                return number
            found = self.call(node) or self.range(node) or self.container(node)
            found = found or self.method(node)
            return found.text if found else None
        if isinstance(node, ast.Attribute):
            found = self.bare(node)
            return found.text if found else None
        return None

    # -- calls -------------------------------------------------------------------------------

    def bare(self, node: ast.Expr) -> Written | None:
        """A foreign name without parentheses: `nn.ReLU`."""
        row = self.row(node)
        if row is None or not row.op:
            return None
        defaults = [f"{slot.ours}={slot.default}" for slot in row.slots if slot.default]
        listed = f"({', '.join(defaults)})" if defaults and not row.takes_data else ""
        return Written(row.op + listed, row.op, uses(row))

    def call(self, node: ast.Call, stage: bool = False) -> Written | None:
        """A foreign call; `stage` is true if data flows into it through `->`."""
        if node.span.end - node.span.start > MAX_TEXT:
            return None
        if isinstance(node.function, ast.Call):  # `layers.Conv2D(8, 3)(x)`
            inner = self.call(node.function, stage=True) or self.container(node.function)
            if inner is None or any(item.name for item in node.arguments):
                return None
            data = [self.data(item.value) for item in node.arguments]
            if inner.op == "multihead_attention" and len(data) == 2:  # a query, and what it reads
                data = data[:1] if data[0] == data[1] else [*data, data[1]]
            return Written(f"{tuple_text(data)} -> {inner.text}", inner.op, inner.uses, inner.notes)
        row = self.row(node.function)
        if row is None:
            return self.encoder(node) or self.method_of_self(node) or self.wrapper(node)
        for found in self.rows(path_of(node.function), row, node):
            try:
                return self.by_row(found, node.arguments, data=not stage)
            except CannotRewrite:
                continue
        return None

    def encoder(self, node: ast.Call) -> Written | None:
        """PyTorch's encoder of a transformer, if the name has no meaning here."""
        path = path_of(node.function)
        if not path or self.known(path[0]):
            return None
        written = transformers.encoder(node, self.text)
        if written is None:
            return None
        first = "batch_first" in node.span.text
        notes = (transformers.AFTER, *(() if first else (transformers.BEFORE,)))
        return Written(written, "mlp", ("std.attention", "mlp"), notes)

    def wrapper(self, node: ast.Call) -> Written | None:
        """A layer of Keras around another one, if the name has no meaning here."""
        path = path_of(node.function)
        if not path or self.known(path[0]):
            return None
        return unwrapped(node, lambda layer: self.call(layer, stage=True))

    def rows(self, path: tuple[str, ...], first: Row, node: ast.Call) -> list[Row]:
        """The rows that may be meant by a call, most likely first."""
        name = path[-1]
        found = [first, rows.keras().get(name), rows.others().get(name)]
        one, channels = len(path) == len(node.arguments) == 1, first.slots[:1]
        if one and found[1] and channels and channels[0].kind == "left out":  # `LSTM(64)` of Keras
            found = [found[1], first, found[2]]
        called = rows.functions().get(name)
        if len(path) == 1 and called is not None:
            values = node.arguments and is_value(node.arguments[0].value)
            found.insert(1 if values or not node.arguments else 0, called)
        return [row for row in found if row is not None]

    def method_of_self(self, node: ast.Call) -> Written | None:
        """`self.relu(x)`, if `relu` has a meaning here."""
        path = path_of(node.function)
        if len(path) != 2 or path[0] != "self" or self.known("self") or not self.known(path[1]):
            return None
        if not node.arguments or any(item.name for item in node.arguments):
            return None
        data = [self.data(item.value) for item in node.arguments]
        return Written(f"{tuple_text(data)} -> {path[1]}", path[1])

    def range(self, node: ast.Call) -> Written | None:
        """`range(n)` as `0..n`."""
        if path_of(node.function) != ("range",) or self.known("range"):
            return None
        ends = [self.text(item.value) for item in node.arguments if item.name is None]
        if len(ends) == len(node.arguments) == 3 and (written := stepped(*ends)):
            return Written(written, "..")
        if len(ends) == len(node.arguments) == 3 and ends[2] == "-1":
            return Written(f"reversed({_after(ends[1])}..{_after(ends[0])})", "..")
        if not 1 <= len(ends) <= 2 or len(ends) < len(node.arguments):
            return None
        start, stop = ends if len(ends) == 2 else ("0", *ends)
        return Written(f"{start}..{stop}", "..")

    def container(self, node: ast.Call) -> Written | None:
        """`nn.Sequential(f, g)` as `f -> g`, `nn.ModuleList([f, g])` as `[f, g]`."""
        path = path_of(node.function)
        if not path or self.known(path[0]) or any(item.name for item in node.arguments):
            return None
        values = [item.value for item in node.arguments]
        listed = len(values) == 1 and isinstance(values[0], ast.ListExpr | ast.Comprehension)
        if path[-1] == "ModuleList" and listed:
            return Written(self.text(values[0]), "[]")
        if path[-1] not in ("Sequential", "sequential"):
            return None
        if len(values) == 1 and isinstance(values[0], ast.ListExpr):
            values = [*values[0].items]
        if len(values) == 1 and (loop := self.loop(values[0])) is not None:
            return Written(loop, "->")
        if not values or any(isinstance(item, ast.Spread | ast.Comprehension) for item in values):
            return None
        return Written(" -> ".join(map(self.text, values)), "->")

    def loop(self, node: ast.Expr) -> str | None:
        """`*[f(i) for i in xs]` as `for i in xs { f(i) }`."""
        inner = node.inner if isinstance(node, ast.Spread) else node
        if not isinstance(inner, ast.Comprehension) or inner.condition is not None:
            return None
        names = ", ".join(target.span.text for target in inner.targets)
        return f"for {names} in {self.text(inner.iterable)} {{ {self.text(inner.element)} }}"

    def of_numbers(self, node: ast.Call, is_value: bool = False) -> str | None:
        """`math.log(10000)` as `log(10000)`, `float("-inf")` as a large number.

        `is_value` says that the arguments of a function of NumPy are values, not data.
        """
        path, values = path_of(node.function), [item.value for item in node.arguments]
        if path == ("float",) and len(values) == 1 and isinstance(values[0], ast.Text):
            word = values[0].span.text[1:-1].lower()
            return {"-inf": "-1e4", "inf": "1e4"}.get(word)
        if len(path) != 2 or path[0] not in ("math", "np", "numpy") or self.known(path[0]):
            return None
        if path[1] not in _OF_NUMBERS or not values:
            return None
        if path[0] != "math" and not is_value and not all(map(_is_numeric, values)):
            return None
        return f"{path[1]}({', '.join(map(self.text, values))})"

    def method(self, node: ast.Call, data: str | None = None) -> Written | None:
        """`x.view(b, -1)` as `x -> reshape(b, -1)`; `data` is the text of the object."""
        function = node.function
        if not isinstance(function, ast.Attribute):
            return None
        if (
            isinstance(function.base, ast.Name)
            and function.base.text in _OWN - {"F"}
            and (not self.known(function.base.text))
        ):
            return None
        op = all_ops().get(function.name)
        name = function.name
        row = rows.methods().get(name) or rows.methods().get(name.rstrip("_"))
        if row is None and op is not None:
            row = rows.of_op(op.name, positional(op))
        if row is None and (called := rows.functions().get(name.rstrip("_"))) is not None:
            row = Row(called.op, called.slots[1:]) if called.takes_data else None
        if row is None:
            return None
        try:
            call = self.filled(row.op, list(row.slots), list(node.arguments))
        except CannotRewrite:
            return None
        call.inputs.insert(0, data if data is not None else self.data(function.base))
        if row.op == "identity":
            return Written(call.inputs[0], row.op)
        return Written(call.written(), row.op)

    def by_row(self, row: Row, arguments: Iterable[ast.Argument], *, data: bool) -> Written:
        """The call of a row with these arguments. Raises CannotRewrite."""
        given = list(arguments)
        slots = list(row.slots)
        if row.takes_data and (not data or (given and is_value(given[0].value))):
            slots = [slot for slot in slots if slot.kind not in ("data", "list of data")]
        call = self.filled(row.op, slots, given)
        if call.lacks() and slots[:1] and slots[0].kind == "left out":
            call = self.filled(row.op, slots[1:], given)  # in the order of the op here
        return Written(call.written(), row.op, uses(row), call.all_notes())

    def filled(self, op: str, slots: list[Slot], given: list[ast.Argument]) -> CallText:
        """A call of an op with arguments for these slots. Raises CannotRewrite."""
        call = CallText(self, op)
        for slot in slots[:1]:
            if slot.kind == "constant":
                call.complete(slot)
        open_ = [slot for slot in slots if slot.kind != "constant"]
        for slot, argument in matched(open_, given):
            call.take(slot, argument)
        for slot in slots:
            call.complete(slot)
        return call

    def of_same_name(self, node: ast.Call, op: str) -> str | None:
        """A call of an op with data in its parentheses, as in `stack([a, b], dim=1)`."""
        row = rows.functions().get(op)
        if row is None or row.op != op or not row.takes_data or not node.arguments:
            return None
        first = node.arguments[0].value
        if row.slots[0].kind == "list of data" and not isinstance(first, _LISTS):
            return None
        slots = tuple(replace(slot, default="") for slot in row.slots)  # those of the op hold
        try:
            return self.by_row(replace(row, slots=slots), node.arguments, data=True).text
        except CannotRewrite:
            return None

    def own(self, node: ast.Call, op: type[Op]) -> str | None:
        """A call of an op with its attributes renamed as they are here."""
        synonyms = rows.keywords(op.name)
        names = {*positional(op), *op.model_fields, *op.regions}
        places = [Slot(name, name, "attribute") for name in positional(op)]
        call = CallText(self, op.name, node.function.span.text)
        arguments, given = node.arguments, [one.name for one in node.arguments].count(None)
        if op.inferred == 0 and given > len(places):
            arguments = arguments[1:]  # the number of input channels
        try:
            for at, argument in enumerate(arguments):
                slot = Slot(argument.name or "", argument.name or "", "attribute")
                if argument.name is None and at < len(places):
                    slot = places[at]
                elif argument.name is not None and argument.name not in names:
                    found = synonyms.get(argument.name)
                    if found is None or argument.name in call.seen:
                        return None
                    slot = found
                call.take(slot, argument)
        except CannotRewrite:
            return None
        return call.written()

    def data(self, node: ast.Expr) -> str:
        """An argument that is data: a list of data is a tuple here."""
        if isinstance(node, ast.ListExpr | ast.TupleExpr) and node.items:
            return tuple_text([self.text(item) for item in node.items])
        text = self.text(node)
        return text[1:-1] if isinstance(node, ast.Group) and "->" in text else text


def _after(end: str) -> str:
    """The text of a number plus one."""
    if end.lstrip("-").isdecimal():
        return str(int(end) + 1)
    return end.removesuffix("- 1").rstrip() if end.endswith(" - 1") else f"{end} + 1"


_OF_NUMBERS = frozenset({"log", "sqrt", "exp", "floor", "ceil", "round", "abs"})
"""Functions of `math` that this language has, too."""


def _is_numeric(node: ast.Expr) -> bool:
    """Whether an expression has only numbers and operators."""
    stack: list[object] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name | ast.Call | ast.Text | ast.Attribute):
            return False
        if isinstance(item, ast.Node):
            stack.extend(item.parts)
        elif isinstance(item, tuple):
            stack.extend(item)
    return True


_LISTS = (ast.ListExpr, ast.TupleExpr)
_EXPRESSIONS = (ast.Name, ast.Text, ast.Call, ast.Attribute, ast.Index, ast.Unary)


def find_row(path: tuple[str, ...]) -> Row | None:
    """The row of a foreign path: `nn.Conv2d`, `F.relu`, `tf.keras.layers.Dense`."""
    name = path[-1]
    foreign = path[0] in _OWN or len(path) > 1
    if name == "split" and path[0] in ("np", "numpy", "jnp"):
        name = "chunk"  # by the number of parts, and not by their size
    if any(word in ("tf", "keras", "layers") for word in path[:-1]) and name in rows.keras():
        return rows.keras()[name]
    if name in rows.classes():
        return rows.classes()[name]
    folded = rows.folded().get(rows.plain(name)) if len(name) > 3 else None
    if folded is not None and not foreign:
        return folded
    if name in rows.functions() and (foreign or name not in all_ops()):
        return rows.functions()[name]
    is_class = name[:1].isupper() and name not in ADVICE
    called = rows.functions().get(rows.plain(name)) if is_class else None
    return rows.others().get(name) or folded or called
