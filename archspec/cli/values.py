"""Parses `--set name=value` and similar options; values are written as in a spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from archspec.cli.guard import WrongUsage
from archspec.source import Source
from archspec.syntax import ast, parse

Value: TypeAlias = "int | float | bool | str | list[Value]"

_HEAD = "preset settings = settings("
_FORMS = 'values are written as in a spec: 3, 0.1, true, [64, 128], "same", a name, relu(..)'


def settings(given: Iterable[str]) -> Mapping[str, Value]:
    """The values by name. Raises WrongUsage unless all are `name=value` with distinct names."""
    found: dict[str, Value] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise WrongUsage(f"--set {text}: write it as name=value", "--set classes=10")
        if name in found:
            raise WrongUsage(f"--set gives `{name}` twice")
        found[name] = value_in(f"--set {text}", value)
    return found


def sizes(given: Iterable[str]) -> Mapping[str, int]:
    """The sizes by name, from `--size H=384` and `--size H=W=384`.

    Raises WrongUsage for another form or a repeated name.
    """
    found: dict[str, int] = {}
    for text in given:
        *names, number = (part.strip() for part in text.split("="))
        if not names or not all(name.isidentifier() for name in names):
            raise WrongUsage(f"--size {text}: write it as name=number", "--size H=384")
        if not number.isascii() or not number.isdecimal():
            raise WrongUsage(f"--size {text}: a size is a whole number", "--size H=384")
        for name in names:
            if name in found:
                raise WrongUsage(f"--size gives `{name}` twice")
            found[name] = int(number)
    return found


def value_in(option: str, text: str) -> Value:
    """The value in a text that is part of `option`, the option as given: `--set classes=10`.

    Raises WrongUsage if it is not a value.
    """
    text = text.strip()
    if not text:
        raise WrongUsage(f"{option}: the value is missing", _FORMS)
    result = parse(Source("value", f"{_HEAD}{text})\n"))
    expression = None if result.diagnostics else _only_argument(result.module)
    value = None if expression is None else _literal(expression)
    if value is None:
        hint = _FORMS
        if isinstance(expression, ast.Range):
            hint = "write a range as a list: [1, 2, 3]"
        raise WrongUsage(f"{option}: `{text}` is not a value", hint)
    return value


def named_values(option: str, text: str, example: str) -> Mapping[str, Value]:
    """The values by name in a text such as `column=3, draw="wide"`, part of `option`.

    Raises WrongUsage, with the example, for a text in another form.
    """
    result = parse(Source("value", f"{_HEAD}{text})\n"))
    match result.module.definitions if not result.diagnostics else ():
        case (ast.Preset(value=ast.Call(arguments=arguments)),):
            pass
        case _:
            raise WrongUsage(f"{option}: the braces contain option=value, ..", example)
    found: dict[str, Value] = {}
    for argument in arguments:
        value = _literal(argument.value)
        if argument.name is None or value is None:
            shown = argument.value.span.text
            raise WrongUsage(f"{option}: `{shown}` is not option=value", example)
        if argument.name in found:
            raise WrongUsage(f"{option} gives `{argument.name}` twice", example)
        found[argument.name] = value
    return found


def _only_argument(module: ast.Module) -> ast.Expr | None:
    match module.definitions:
        case (ast.Preset(value=ast.Call(arguments=(ast.Argument(name=None) as argument,))),):
            return argument.value
    return None


def _literal(expression: ast.Expr) -> Value | None:
    """The Python value of a literal; a name or a layer with attributes is its own text.

    None for anything else.
    """
    match expression:
        case ast.Number(value=value):
            return value
        case ast.Unary(operator="-", operand=ast.Number(value=value)):
            return -value
        case ast.Name(text="true" | "false" as word):
            return word == "true"
        case ast.Name(text=word):
            return word
        case ast.Call(span=span):
            return span.text  # a layer; resolved when the network is compiled
        case ast.Text(parts=parts):
            return _text(parts)
        case ast.ListExpr(items=items):
            values = [_literal(item) for item in items]
            return None if None in values else [value for value in values if value is not None]
    return None


def _text(parts: tuple[str | ast.Expr, ...]) -> str | None:
    words = [part for part in parts if isinstance(part, str)]
    return "".join(words) if len(words) == len(parts) else None
