"""Parameters of a network set from outside: Python values converted to values of the language."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from numbers import Integral, Real

from archspec import shipped
from archspec.diagnostics.suggest import did_you_mean
from archspec.graph.compiled import NetworkParameter
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.layer_calls import initialiser_value
from archspec.semantics.checks.names import resolve_expression
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope
from archspec.semantics.program.library_names import missing_use
from archspec.semantics.values.context import Context, Reported
from archspec.semantics.values.display import on_one_line, value_text
from archspec.semantics.values.evaluation import evaluate
from archspec.semantics.values.model import Environment, Given, ListValue, Value
from archspec.semantics.values.operators import MAX_INTEGER
from archspec.source import Source, Span
from archspec.syntax import ast, parse
from archspec.types.initialiser import INITIALISERS


def settings(
    context: Context,
    scope: ModuleScope,
    definition: BlockDefinition,
    preset: tuple[Given, ...],
    parameters: Mapping[str, object],
) -> tuple[Given, ...]:
    """The attributes of a preset by name, overridden by `parameters`.

    A string for a parameter of type `layer` names a layer visible in the file `scope`, and for one
    of type `init` an initialiser. Raises SpecError for values of other types, numbers that no spec
    could contain, and unknown layers and initialisers.
    """
    kinds = {item.name: item.type for item in definition.parameters}
    inside = Context(context.session, Environment(scope), context.frames)
    kept = _without(preset, parameters, definition)
    return (
        *kept,
        *(_given(inside, name, value, kinds.get(name)) for name, value in parameters.items()),
    )


def described(
    definition: BlockDefinition,
    preset: tuple[Given, ...],
    parameters: Mapping[str, object],
    arguments: Mapping[str, Value],
) -> tuple[NetworkParameter, ...]:
    """The parameters of a network as declared, with the values of a preset as defaults.

    `arguments` are the final values of all parameters, `parameters` those set from outside.
    """
    given = {item.name: item.value for item in _without(preset, {}, definition)}
    found = []
    for item in definition.parameters:
        name = item.name or "_"
        default = value_text(given[name]) if name in given else _text(item.default)
        value = value_text(arguments[name]) if name in parameters else None
        found.append(NetworkParameter(name, _text(item.type), _text(item.domain), default, value))
    return tuple(found)


def _text(node: ast.Expr | ast.ParamType | None) -> str | None:
    return None if node is None else on_one_line(node.span)


def _without(
    given: tuple[Given, ...], parameters: Mapping[str, object], definition: BlockDefinition
) -> tuple[Given, ...]:
    """The preset's attributes by name, without those set from outside."""
    names = [parameter.name for parameter in definition.parameters]
    if sum(1 for item in given if item.name is None) > len(names):
        return given  # rejected when the arguments are bound
    kept: list[Given] = []
    position = 0
    for item in given:
        name = item.name
        if name is None:
            name = names[position]
            position += 1
        if name not in parameters:
            kept.append(Given(name, item.value, item.span))
    return tuple(kept)


def _given(context: Context, name: str, value: object, kind: ast.ParamType | None) -> Given:
    source = Source("<parameters>", f"{name} = {_written(value)}")
    span = Span(source, 0, len(source.text))
    return Given(name, _to_value(context, value, kind, span, f"`{name}`"), span)


def _to_value(
    context: Context, value: object, kind: ast.ParamType | None, span: Span, what: str
) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):  # includes NumPy's integers
        number = int(value)
        if abs(number) > MAX_INTEGER:
            raise context.error("E0314", f"{what} does not fit in 64 bits", span)
        return number
    if isinstance(value, Real):
        if not isfinite(value):
            raise context.error(
                "E0314", f"{what} is {value}, which is not a number in a spec", span
            )
        return float(value)
    if isinstance(value, str):
        match kind.name if kind is not None else None:
            case "layer":
                return _layer(context, value, span, what)
            case "init":
                return _initialiser(context, value, span, what)
        return value
    if isinstance(value, (list, tuple, range)):
        inner = kind.argument if kind is not None else None
        return ListValue(
            tuple(
                _to_value(context, item, inner, span, f"element {index} of {what}")
                for index, item in enumerate(value)
            )
        )
    message = f"{what} cannot be a Python value of type `{type(value).__name__}`"
    words = "values are numbers, booleans, strings and lists of them"
    raise context.error("E0305", message, span, notes=(words,))


def _layer(context: Context, text: str, span: Span, what: str) -> Value:
    """The op or block with this name and optional attributes, resolved as in the file itself."""
    written = _read(text, what)
    head = written.function if isinstance(written, ast.Call) else written
    if written is None or not isinstance(head, ast.Name):
        example = "write an op or block, with or without attributes: `batch_norm(eps=1e-3)`"
        raise context.error(
            "E0305", f"{what} must be a layer, but `{text}` is not one", span, fix=example
        )
    module, name = context.environment.module, head.text
    if module.definition(name) is None and name not in all_ops():
        use = missing_use(module.tree, name)
        elsewhere = use and f"{use.message}, in a file of your own with a preset of this network"
        if use is None and name in shipped.networks():
            words = f"`{name}` is a network, and the file of this one does not import it"
            file = shipped.networks()[name].stem
            elsewhere = (
                f"{words}: write `use {file} {{ {name} }}` in a file of your own with a preset"
            )
        fix = elsewhere or did_you_mean(name, module.names) or did_you_mean(name, all_ops())
        if name.lower() in ("none", "null"):
            fix = "a layer that changes nothing is `identity`"
        raise context.error(
            "E0210", f"{what} must be a layer, but there is no `{name}`", span, fix=fix
        )
    _resolve(context, written)
    return evaluate(context, written)


def _initialiser(context: Context, text: str, span: Span, what: str) -> Value:
    """The initialiser with this name and optional attributes."""
    written = _read(text, what)
    head = written.function if isinstance(written, ast.Call) else written
    if written is None or not isinstance(head, ast.Name) or head.text not in INITIALISERS:
        example = "write an initialiser, such as `zeros` or `normal(std=0.02)`"
        fix = did_you_mean(head.text, INITIALISERS) if isinstance(head, ast.Name) else None
        message = f"{what} must be an initialiser, but `{text}` is not one"
        raise context.error("E0305", message, span, fix=fix or example)
    _resolve(context, written)
    return initialiser_value(context, written)


def _resolve(context: Context, written: ast.Expr) -> None:
    """Report every unknown name of an expression. Raises Reported if there is one."""
    sink, before = context.session.sink, context.session.sink.count
    resolve_expression(context.environment.module, written, sink)
    if sink.count > before:
        raise Reported()


def _read(text: str, what: str) -> ast.Expr | None:
    """The expression in a text, or None. Errors are located in a file named after `what`."""
    result = parse(Source(f"<{what.replace('`', '')}>", f"preset layer =\n{text}\n"))
    match result.module.definitions:
        case (ast.Preset(value=value),) if not result.diagnostics:
            return value
    return None


def _written(value: object) -> str:
    """The value in the notation of specs."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.encode("unicode_escape").decode("ascii") + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    return str(value)
