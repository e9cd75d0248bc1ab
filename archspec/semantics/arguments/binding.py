"""Arguments of definitions, checked against the types and domains of their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from archspec.diagnostics.model import Edit, Fix
from archspec.diagnostics.suggest import beginning, rename, renamed
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.layer_calls import data_in_parentheses, initialiser_value
from archspec.semantics.arguments.matching import by_name
from archspec.semantics.program.definitions import BlockDefinition, Definition
from archspec.semantics.values.bare_words import all_words, word_meant
from archspec.semantics.values.context import Context, SpecError
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import evaluate, force
from archspec.semantics.values.functions import range_items
from archspec.semantics.values.model import (
    BlockLayer,
    Environment,
    ListValue,
    Poison,
    RangeValue,
    Value,
    is_data,
    is_layer,
)
from archspec.semantics.values.operators import is_number, plain
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import walk
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser

# ---------------------------------------------------------------------- arguments


def bind_arguments(context: Context, layer: BlockLayer, span: Span) -> dict[str, Value]:
    """The value of each parameter, checked against its type and domain, with defaults filled in.

    Raises SpecError for an argument that is missing, unknown, or of the wrong kind.
    """
    definition = layer.definition
    parameters = definition.parameters
    given = by_name(context, definition, layer.given)
    environment = Environment(definition.module)
    bound: dict[str, Value] = {}
    for parameter in parameters:
        name = parameter.name or "_"
        item = given.get(name)
        if item is not None:
            value = _coerced(context, item.value, parameter, item.span, definition, environment)
        elif parameter.default is not None:
            inner = context.within(environment)
            value = _default(inner, parameter.type, parameter.default)
            value = _coerced(
                inner, value, parameter, parameter.default.span, definition, environment
            )
        else:
            raise context.error(
                "E0303",
                f"`{definition.name}` needs `{name}`",
                span,
                secondary=[(parameter.span, "declared here")],
                fix=namesake(definition.name, span)
                or _settings_meant(definition, parameter)
                or _data_meant(parameter),
            )
        bound[name] = value
        environment.bind(name, value, parameter.span)
    return bound


def body_environment(definition: Definition, arguments: Mapping[str, Value]) -> Environment:
    """The initial scope of a body: its parameters, bound to their arguments."""
    environment = Environment(definition.module)
    environment.owner, environment.is_body = definition, True
    for parameter in definition.parameters:
        name = parameter.name or "_"
        environment.bind(name, arguments[name], parameter.span)
    return environment


def _data_meant(parameter: ast.Parameter) -> str | None:
    """The help for a parameter without a type or default, which may be meant as data."""
    if parameter.type is not None or parameter.name is None:
        return None
    return (
        f"parameters are given in parentheses; if `{parameter.name}` is data, declare it in the "
        f"body: `input {parameter.name}`"
    )


def _settings_meant(definition: Definition, parameter: ast.Parameter) -> str | None:
    """The help for an object of settings, `config.width`, which is a parameter for each."""
    if not isinstance(definition, BlockDefinition) or parameter.name is None:
        return None
    found = [
        node.name
        for node in walk(definition.node.body)
        if isinstance(node, ast.Attribute)
        and isinstance(node.base, ast.Name)
        and node.base.text == parameter.name
    ]
    if not found:
        return None
    listed = ", ".join(f"{name}: int = .." for name in dict.fromkeys(found[:4]))
    return f"there are no objects: each setting is a parameter, `{definition.name}({listed})`"


def _default(context: Context, kind: ast.ParamType | None, node: ast.Expr) -> Value:
    if kind is not None and kind.name == "init":
        return initialiser_value(context, node)
    return evaluate(context, node)


def _coerced(
    context: Context,
    value: Value,
    parameter: ast.Parameter,
    span: Span,
    definition: Definition,
    environment: Environment,
) -> Value:
    what = f"`{parameter.name}` of `{definition.name}`"
    if parameter.type is not None:
        value = coerce(context, value, parameter.type, span, what)
    elif is_data(value) and not isinstance(value, Poison):
        raise data_in_parentheses(context, definition.name, span)
    if parameter.domain is not None:
        _check_domain(context.within(environment), value, parameter.domain, span, what)
    return value


def namesake(name: str, span: Span) -> Fix | None:
    """A fix for a block with the name of a Keras layer."""
    if name != "dense":
        return None
    edit = Edit(Span(span.source, span.start, span.start + len(name)), "linear")
    is_call = span.text.startswith(name)
    return Fix("a fully connected layer is `linear(width)`", (edit,) if is_call else ())


_TYPES_ELSEWHERE = {
    "string": "str",
    "integer": "int",
    "boolean": "bool",
    "double": "float",
    "number": "float",
    "module": "layer",
    "callable": "layer",
    "any": "value",
    "sequence": "list",
}
"""Types of parameters by their names in other languages, in lower case."""


def _type_meant(kind: ast.ParamType) -> Fix:
    """A fix for an unknown type."""
    words = "types are int, float, bool, str, layer, dim, init, value and list[..]"
    place = beginning(kind.span, kind.name)
    if kind.name == "Optional" and kind.argument is not None:
        edits = (Edit(kind.span, kind.argument.span.text),)
        return Fix(f"write `{kind.argument.span.text}`: there is no `None`", edits)
    other = renamed(place, _TYPES_ELSEWHERE.get(kind.name.lower()))
    return other or rename(place, kind.name, [*_TYPES, "list"]) or Fix(words)


def coerce(context: Context, value: Value, kind: ast.ParamType, span: Span, what: str) -> Value:
    """The value converted to the declared type. Raises SpecError if that is impossible."""
    if isinstance(value, Poison):
        return value
    if kind.name == "str" and isinstance(value, BlockLayer):  # a word such as `each`
        value = word_meant(all_words(), value)
    if kind.name != "layer":
        value = plain(force(context, value, span))
    if kind.name == "list":
        return _coerce_list(context, value, kind, span, what)
    if kind.name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    test = _TYPES.get(kind.name)
    if test is None:
        raise context.error(
            "E0305",
            f"there is no type `{kind.name}`",
            kind.span,
            fix=_type_meant(kind),
        )
    if test(value):
        return value
    if isinstance(value, Dim) and kind.name == "int":
        if value.symbols <= context.session.integer_symbols:
            return value
        raise context.error(
            "E0403",
            f"{what} must be a fixed number, but `{value}` depends on a free size",
            span,
            fix="make the size a parameter, or declare the parameter as `dim`",
        )
    raise _of_another_kind(context, value, kind, span, what)


def _of_another_kind(
    context: Context, value: Value, kind: ast.ParamType, span: Span, what: str
) -> SpecError:
    found = f"not {kind_of(value)}"
    if kind.name == "int" and isinstance(value, float):
        found = f"but it is {value}"
    message = f"{what} must be {_WORDS[kind.name]}, {found}"
    return context.error("E0305", message, span, fix=_value_meant(kind, value, span))


def _value_meant(kind: ast.ParamType, value: Value, span: Span) -> Fix | None:
    """A fix for a value of another kind than the type of its parameter."""
    if kind.name == "layer" and isinstance(value, str):
        return _layer_meant(value, span)
    if kind.name in ("int", "float") and value == "none":
        return Fix("there is no such value: give one that means nothing, such as 0")
    if kind.name == "int" and isinstance(value, float) and value.is_integer():
        whole = str(int(value))
        edits = (Edit(span, whole),) if re.fullmatch(r"[0-9.]+", span.text) else ()
        return Fix(f"write `{whole}`", edits)
    return None


def _layer_meant(word: str, span: Span) -> Fix:
    """A fix for a word or string in the place of a layer."""
    place = Span(span.source, span.end - len(word), span.end)
    if word.lower() in ("none", "linear", "no", "null", ""):
        edits = (Edit(place, "identity"),) if place.text == word else ()
        words = "a layer that changes nothing is `identity`: with it, no `if` is needed"
        return Fix(words, edits if word == "none" else ())
    quoted = Span(span.source, span.end - len(word) - 2, span.end)
    edits = (Edit(quoted, word),) if quoted.text == f'"{word}"' and word in all_ops() else ()
    return Fix(f"write the layer itself, without quotes: `{word}`", edits)


def _coerce_list(
    context: Context, value: Value, kind: ast.ParamType, span: Span, what: str
) -> Value:
    if isinstance(value, RangeValue):
        value = ListValue(range_items(context, value, span))
    if isinstance(value, tuple) and not is_data(value):
        value = ListValue(value)
    if not isinstance(value, ListValue):
        raise context.error("E0305", f"{what} must be a list, not {kind_of(value)}", span)
    if kind.argument is None:
        return value
    return ListValue(
        tuple(
            coerce(context, item, kind.argument, span, f"element {index} of {what}")
            for index, item in enumerate(value.items)
        )
    )


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Value], bool]] = {
    "int": _is_int,
    "float": is_number,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "layer": is_layer,
    "dim": lambda value: _is_int(value) or isinstance(value, Dim),
    "init": lambda value: isinstance(value, Initialiser),
    "value": lambda value: not is_data(value),
}
_WORDS = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "a string",
    "layer": "a layer",
    "dim": "a size",
    "init": "an initialiser",
    "value": "a value",
}


def _check_domain(context: Context, value: Value, domain: ast.Expr, span: Span, what: str) -> None:
    allowed = evaluate(context, domain)
    if isinstance(value, (Poison, Dim)) or isinstance(allowed, Poison):
        return
    if isinstance(allowed, RangeValue):
        fits = allowed.contains(value)
    elif isinstance(allowed, ListValue):
        keys = context.session.keys
        fits = keys.of(value) in {keys.of(item) for item in allowed.items}
    else:
        raise context.error("E0305", "a domain is a range or a list", domain.span)
    if not fits:
        raise context.error(
            "E0305",
            f"{what} is {value}, which is outside its domain `{domain.span.text}`",
            span,
            secondary=[(domain.span, "declared here; `a..b` excludes b")],
        )
