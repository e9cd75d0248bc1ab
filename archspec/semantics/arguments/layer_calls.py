"""Calls that add attributes to layers: `conv(64, 3)`, and again: `norm(eps=1e-3)`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.suggest import beginning, rename, renamed
from archspec.ops.absent import NONE
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.refused_calls import (
    INFERRED,
    argument_value,
    data_in_call,
    refuse_data,
    refuse_listed,
    refuse_open_shape,
    refuse_unknown,
)
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.program.foreign_names import meant_by
from archspec.semantics.program.op_attributes import positional
from archspec.semantics.values.bare_words import (
    INITIALISER_NAMES,
    attribute_with,
    choice_notes,
    choices,
    is_word,
    takes_initialiser,
    word_meant,
)
from archspec.semantics.values.context import Context, Reported, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import evaluate, force, holds, settled
from archspec.semantics.values.functions import items_of
from archspec.semantics.values.hiding import hiding
from archspec.semantics.values.model import (
    POISON,
    BlockLayer,
    Given,
    GroupLayer,
    InitialiserName,
    LabelledLayer,
    ListValue,
    OpLayer,
    Poison,
    Value,
    has_poison,
    is_data,
    is_layer,
)
from archspec.semantics.values.operators import plain
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim
from archspec.types.initialiser import INITIALISERS, Initialiser


def call_layer(context: Context, function: Value, node: ast.Call) -> Value:
    """A layer (or initialiser) with further attributes."""
    if isinstance(function, OpLayer):
        given = _given_to_op(context, function, node)
        return OpLayer(function.op, merged(function.given, given), node.span)
    if isinstance(function, BlockLayer):
        given = _given_to_block(context, function, node)
        return BlockLayer(function.definition, merged(function.given, given), node.span)
    if isinstance(function, Poison):
        return POISON
    if isinstance(function, InitialiserName):
        return _make_initialiser(context, function.name, node)
    if isinstance(function, LabelledLayer):
        return LabelledLayer(
            function.label, call_layer(context, function.inner, node), function.span
        )
    if isinstance(function, GroupLayer):
        return call_layer(context, function.inner, node)
    if is_layer(function):
        refuse_data(context, node)
    hidden = hiding(context, node.function, function, "E0302", called=True)
    if hidden is not None:
        raise hidden
    if isinstance(function, str) and isinstance(node.function, ast.Name):
        raise _choice_called(context, function, node)
    raise context.error(
        "E0302",
        f"{kind_of(function)} takes no attributes",
        node.function.span,
        notes=("attributes belong to an op, block, rule or network",),
        fix=_joined(node),
    )


def _joined(node: ast.Call) -> Fix | None:
    """`linear(64).relu()` as `linear(64) -> relu`."""
    method = node.function
    if not isinstance(method, ast.Attribute) or method.name not in all_ops():
        return None
    inside = node.span.text[len(method.span.text) :]
    written = f"{method.base.span.text} -> {method.name}{inside.removesuffix('()')}"
    return Fix(f"layers are joined by `->`: `{written}`", (Edit(node.span, written),))


def _choice_called(context: Context, word: str, node: ast.Call) -> SpecError:
    """The error for `spectral_norm(conv(8, 3))`: the choice of an attribute around its layer."""
    fix: Fix | None = None
    given = [item.value for item in node.arguments if item.name is None]
    layer = evaluate(context, given[0]) if given else None
    if isinstance(layer, OpLayer) and (name := attribute_with(layer.op, word)) is not None:
        call = given[0]
        inside = [item.span.text for item in call.arguments] if isinstance(call, ast.Call) else []
        of_layer = isinstance(call, ast.Name) or (
            isinstance(call, ast.Call) and isinstance(call.function, ast.Name)
        )
        called = call.function if isinstance(call, ast.Call) else call
        written = f"{called.span.text}({', '.join((*inside, f'{name}={word}'))})"
        edits = (Edit(node.span, written),) if of_layer and len(node.arguments) == 1 else ()
        shown = written if edits and len(written) <= 90 else f"{layer.op.name}(.., {name}={word})"
        fix = Fix(f"write `{shown}`", edits)
    return context.error(
        "E0302",
        f"`{node.function.span.text}` is the value of an attribute, and not a layer",
        node.function.span,
        notes=choice_notes(word),
        fix=fix,
    )


def merged(earlier: tuple[Given, ...], later: tuple[Given, ...]) -> tuple[Given, ...]:
    """Append positional attributes; named ones replace earlier ones of the same name."""
    if not earlier:
        return later
    names = {item.name for item in later if item.name is not None}
    return (*(item for item in earlier if item.name not in names), *later)


def _given_to_op(context: Context, layer: OpLayer, node: ast.Call) -> tuple[Given, ...]:
    refuse_listed(context, layer.op, node)
    refuse_open_shape(context, layer.op, node)
    refuse_unknown(context, layer.op, node)
    order = positional(layer.op)
    position = sum(1 for item in layer.given if item.name is None)
    given: list[Given] = []
    for argument in node.arguments:
        name = argument.name
        if name is None and position < len(order):
            name = order[position]
        for value in _values(context, node, argument, layer.op, name or ""):
            if is_data(value) and not has_poison(value):
                raise data_in_call(context, node, argument)
            given.append(_given(context, argument, value))
            position += argument.name is None
    note = INFERRED if layer.op.inferred is not None else None
    refuse_twice(context, layer.op.name, given, order, position, layer.op.variadic, note)
    return tuple(given)


def refuse_twice(
    context: Context,
    what: str,
    given: Sequence[Given],
    order: Sequence[str],
    end: int,
    variadic: str | None = None,
    note: str | None = None,
) -> None:
    """Report (E0303) attributes given twice in one call, by name or by position and name.

    `order` has the attributes by position; those of the call end at index `end`. `variadic` is the
    attribute that takes all positional arguments; `note` is added if a positional one is at fault.
    Names override attributes of an earlier call.
    """
    by_position = [item.name for item in given].count(None)
    if by_position == len(given):
        return  # the usual case
    position = end - by_position
    seen: dict[str, Given] = {}
    for item in given:
        name = item.name
        if name is None:
            name = variadic or (order[position] if position < len(order) else None)
            position += 1
        if name is None:
            continue
        first = seen.setdefault(name, item)
        if first is not item and (first.name is not None or item.name is not None):
            raise context.error(
                "E0303",
                f"`{what}` is given `{name}` twice",
                item.span,
                secondary=[(first.span, "first given here")],
                notes=(note,) if note and first.name is None else (),
            )


def _values(
    context: Context, call: ast.Call, argument: ast.Argument, model: type[BaseModel], name: str
) -> tuple[Value, ...]:
    node = argument.value
    if isinstance(node, ast.Spread):
        return items_of(context, evaluate(context, node.inner), node.span)
    words = choices(model, name) if isinstance(node, ast.Name) else ()
    if words and isinstance(node, ast.Name):
        if node.text in words and not context.environment.has_local(node.text):
            return (node.text,)
        if _is_unknown(context, node.text):
            if context.session.sink.reported(node.span):
                raise Reported()
            listed = ", ".join(f"`{word}`" for word in sorted(words))
            raise context.error(
                "E0301",
                f"`{name}` takes {listed}, not `{node.text}`",
                node.span,
                fix=renamed(node.span, meant_by(node.text, words)),
            )
    if takes_initialiser(model, name):
        return (initialiser_value(context, node, optional=True),)
    return (argument_value(context, call, argument),)


def _is_unknown(context: Context, text: str) -> bool:
    environment = context.environment
    known = environment.has_local(text) or environment.module.definition(text) is not None
    known = known or text in environment.module.missed
    return not (known or is_word(text) or text in ("true", "false", "training"))


def _locals(context: Context, node: ast.Name) -> frozenset[str]:
    """The word itself if it is a local name; local names hide initialisers."""
    return frozenset({node.text} if context.environment.has_local(node.text) else ())


def _given_to_block(context: Context, layer: BlockLayer, node: ast.Call) -> tuple[Given, ...]:
    parameters = layer.definition.parameters
    kinds = {item.name: item.type.name for item in parameters if item.type is not None}
    names = [item.name or "_" for item in parameters]
    position = sum(1 for item in layer.given if item.name is None)
    given: list[Given] = []
    for argument in node.arguments:
        name = argument.name or (names[position] if position < len(names) else None)
        value = argument.value
        if isinstance(value, ast.Spread):
            spread = items_of(context, evaluate(context, value.inner), value.span)
            given.extend(Given(None, item, argument.span) for item in spread)
            position += len(spread)
            continue
        wants_initialiser = kinds.get(name) == "init"
        result = (
            initialiser_value(context, value)
            if wants_initialiser
            else argument_value(context, node, argument)
        )
        if is_data(result) and not has_poison(result):
            raise data_in_call(context, node, argument)
        given.append(_given(context, argument, plain(result)))
        position += argument.name is None
    refuse_twice(context, layer.definition.name, given, names, position)
    return tuple(given)


def _given(context: Context, argument: ast.Argument, value: Value) -> Given:
    """An argument with its value; its expression is kept if it is a number or a name."""
    node = argument.value
    kept = isinstance(value, WRITTEN) or _is_of_rule(value)
    if type(node) is not ast.Name and not kept:
        return Given(argument.name, value, argument.span)
    return Given(argument.name, value, argument.span, node, context.environment)


WRITTEN = (int, float, Dim, ListValue, tuple, Initialiser)
"""Values whose expressions are kept."""


def _is_of_rule(value: Value) -> bool:
    """Whether it is the call of a rule, whose value may be a number."""
    return isinstance(value, BlockLayer) and isinstance(value.definition, RuleDefinition)


def data_in_parentheses(context: Context, name: str, span: Span) -> SpecError:
    """The error for data in parentheses, with the correct notation."""
    text = span.text if span.text.isidentifier() else "x"
    return context.error(
        "E0310",
        "data is not passed in parentheses, which contain attributes",
        span,
        "this is data",
        fix=f"write `{text} -> {name}`",
    )


# ---------------------------------------------------------------------- initialisers


def initialiser_value(context: Context, node: ast.Expr, *, optional: bool = False) -> Value:
    """The initialiser that an expression yields. Raises SpecError (E0305) for another value.

    If it is `optional`, as for `weight_init`, the word `none` means the default of the op.
    """
    value = initial_value(context, node)
    if isinstance(value, (Initialiser, Poison)) or (optional and value == NONE):
        return value
    raise no_initialiser(context, node, value)


def initial_value(context: Context, node: ast.Expr) -> Value:
    """The value of an expression for an initialiser: `zeros` is the initialiser, not the op.

    It may be another value, such as data.
    """
    if isinstance(node, ast.Name) and node.text in INITIALISER_NAMES - _locals(context, node):
        return _build(context, node.text, {}, node.span)
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name):
        name = node.function.text
        is_initialiser = name in INITIALISER_NAMES and not _means_op(name, node)
        if is_initialiser and not context.environment.has_local(name):
            return _make_initialiser(context, name, node)
    if isinstance(node, ast.IfValue):
        verdict = holds(context, node.condition)
        if verdict is None:
            return POISON
        return initial_value(context, node.then if verdict else node.otherwise)
    value = settled(context, node)
    if isinstance(value, InitialiserName):
        return _build(context, value.name, {}, node.span)
    return value


def _means_op(name: str, node: ast.Call) -> bool:
    """Whether a call is of the op of the same name: `eye(3)`, as the initialiser takes nothing."""
    return name in all_ops() and not INITIALISERS[name].model_fields and bool(node.arguments)


def no_initialiser(context: Context, node: ast.Expr, value: Value) -> SpecError:
    """The error (E0305) for a value that is not an initialiser."""
    fix = Fix("zeros, ones, constant(0.1), normal(std=0.02), kaiming_normal(mode=fan_out), ..")
    if isinstance(value, int | float):
        words = {0.0: "zeros", 1.0: "ones"}
        written = words.get(float(value), f"constant({node.span.text})")
        fix = Fix(f"write `{written}`", (Edit(node.span, written),))
    message = f"an initialiser is needed here, not {kind_of(value)}"
    return context.error("E0305", message, node.span, fix=fix)


def _make_initialiser(context: Context, name: str, node: ast.Call) -> Value:
    model = INITIALISERS[name]
    order = tuple(model.model_fields)
    attributes: dict[str, Value] = {}
    given: list[Given] = []
    position = 0
    for argument in node.arguments:
        key = argument.name or (order[position] if position < len(order) else "")
        for value in _values(context, node, argument, model, key):
            key = initialiser_attribute(context, name, argument, position)
            given.append(Given(argument.name, value, argument.span))
            meant = word_meant(choices(model, key), value)
            attributes[key] = plain(force(context, meant, argument.span))
            position += argument.name is None
    refuse_twice(context, name, given, order, position)
    return _build(context, name, attributes, node.span)


def initialiser_attribute(
    context: Context, name: str, argument: ast.Argument, position: int
) -> str:
    """The attribute of an initialiser that an argument is for. Raises SpecError (E0302)."""
    order = tuple(INITIALISERS[name].model_fields)
    key = argument.name or (order[position] if position < len(order) else "")
    if key not in order:
        raise context.error(
            "E0302",
            f"`{name}` has no attribute {f'`{key}`' if key else 'here'}",
            argument.span,
            fix=rename(beginning(argument.span, key), key, order) if argument.name else None,
        )
    return key


def _build(context: Context, name: str, attributes: dict[str, Value], span: Span) -> Value:
    if any(isinstance(value, Poison) for value in attributes.values()):
        return POISON
    try:
        return INITIALISERS[name].model_validate(attributes)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"`{part}` of " for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise context.error("E0301", f"{where}`{name}`: {reason}", span) from None
