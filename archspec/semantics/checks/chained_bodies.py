"""Bodies of Python's form, `{ x = f(x)  x = x -> g }`, as chains of layers: `{ f -> g }`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archspec.diagnostics.model import Edit
from archspec.semantics.program.bound_names import bodies_of
from archspec.semantics.values.functions import FUNCTIONS
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import walk


def as_chain(body: ast.Body, name: str) -> list[Edit] | None:
    """The edits that make one chain of the statements of a body, if each passes on `name`."""
    edits: list[Edit] = []
    for at, statement in enumerate(body.statements):
        found = _as_stages(statement, name, "-> " if at else "")
        if found is None:
            return None
        edits.extend(found)
    return edits or None


def _as_stages(statement: ast.Statement, name: str, arrow: str) -> list[Edit] | None:
    """`x = x -> f` and `x = f(x)` as `f`; a choice with such bodies as itself."""
    source, start = statement.span.source, statement.span.start
    if bodies := bodies_of(statement):
        assert isinstance(statement, ast.ExprStmt)
        if _reads([subject_of(statement.value)], name):
            return None
        edits = [Edit(Span(source, start, start), arrow)] if arrow else []
        for body in bodies:
            if (inside := as_chain(body, name)) is None:
                return None
            edits.extend(inside)
        return edits
    if not isinstance(statement, ast.Bind) or len(statement.targets) != 1:
        return None
    target, value = statement.targets[0], statement.value
    if not isinstance(target, ast.NameTarget) or target.name != name or target.claim is not None:
        return None
    if isinstance(value, ast.Chain):
        head, *rest = value.stages
        if not isinstance(head, ast.Name) or head.text != name or _reads(rest, name):
            return None
        return [Edit(Span(source, start, rest[0].span.start), arrow)]
    if isinstance(value, ast.Call) and _argument(value) == name:
        function = value.function.span
        return [
            Edit(Span(source, start, function.start), arrow),
            Edit(Span(source, function.end, value.span.end), ""),
        ]
    return None


def applied_calls(statement: ast.Statement, names: Mapping[str, str]) -> Iterator[Edit]:
    """The edits that write `(x -> f)` for `f(x)` with one of these names, by its present name."""
    value = statement.value if isinstance(statement, ast.Bind) else None
    for call in walk(value) if value is not None else ():
        name = _argument(call) if isinstance(call, ast.Call) else None
        if name is None or name not in names:
            continue
        whole = call is value
        source, start, end = call.span.source, call.span.start, call.function.span.end
        before = f"{names[name]} -> "
        yield Edit(Span(source, start, start), before if whole else f"({before}")
        yield Edit(Span(source, end, call.span.end), "" if whole else ")")


def _argument(call: ast.Call) -> str | None:
    """The name in `f(x)`, if it is the only argument and `f` does not depend on it."""
    function = call.function
    if len(call.arguments) != 1 or call.arguments[0].name is not None:
        return None
    value = call.arguments[0].value
    if not isinstance(value, ast.Name) or _reads([function], value.text):
        return None
    is_function = isinstance(function, ast.Name) and function.text in FUNCTIONS
    return None if is_function else value.text


def subject_of(node: ast.Expr) -> ast.Expr | None:
    """What a loop goes through, or the condition of a choice."""
    if isinstance(node, ast.For):
        return node.iterable
    return node.condition if isinstance(node, ast.IfLayer) else None


def _reads(nodes: Sequence[ast.Expr | None], name: str) -> bool:
    return any(node.text == name for one in nodes for node in names_read(one))


def names_read(node: object) -> Iterator[ast.Name]:
    """Every name that is read in a part of the tree."""
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name):
            yield item
        elif isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, ast.Node):
            stack.extend(item.parts)
