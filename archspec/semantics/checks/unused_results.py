"""Expression statements whose value is not used, with the probable fix."""

from __future__ import annotations

from archspec.diagnostics.model import Diagnostic, Edit, Fix, diagnostic
from archspec.ops.registry import all_ops
from archspec.semantics.checks.rebinding import Rebinding
from archspec.source import Span
from archspec.syntax import ast


def unused_result(statement: ast.ExprStmt, result: Span) -> Diagnostic:
    """The error for a statement whose value is not used; `result` is the result of the body."""
    chain = isinstance(statement.value, ast.Chain)
    why = "nothing uses its result" if chain else "it has no input, and nothing uses it"
    return diagnostic(
        "E0706",
        f"this has no effect: {why}",
        statement.span,
        secondary=[(result, "the result is given here")],
        fix=_instead(statement),
    )


def changes_names(statement: ast.ExprStmt, rebinding: Rebinding) -> Diagnostic:
    """The error for a statement that would change names, as it would in Python."""
    value, names = statement.value, rebinding.changed[id(statement)]
    fix = rebinding.fix(names)
    changed = " and ".join(f"`{name}`" for name in names)
    secondary: list[tuple[Span, str]] = []
    if isinstance(value, ast.Call):
        message = f"{changed} cannot be changed: a name is bound once"
        again = rebinding.appends.get(names[0], [statement])[1:4]
        secondary = [(one.span, "changed again") for one in again]
        words = f"write all parts at once: `{names[0]} = (a, b)`"
    else:
        is_loop = isinstance(value, ast.For)
        word = "loop" if is_loop else "choice"
        message = f"a {word} cannot change {changed}: a name is bound once"
        words = f"a {word} is a layer, which is applied to data and has a result"
        shown = rebinding.shown.get(id(statement))
        words += f": `{shown}`" if shown else ""
    return diagnostic(
        "E0706",
        message,
        statement.span,
        secondary=[(rebinding.first[names[0]], "bound here"), *secondary],
        fix=Fix(words, fix.edits),
    )


_CALLED = {
    "print": "a spec prints nothing; `archspec show` prints the shapes: remove this line",
    "append": "lists cannot be changed: write the whole list, `[a, b]`, or `[...list, c]`",
    "extend": "lists cannot be changed: write the whole list, `[...a, ...b]`",
    "add": "layers are joined with `->` where they are applied: `x -> f -> g`",
    "add_module": "layers are joined with `->` where they are applied: `x -> f -> g`",
    "register_buffer": "a constant tensor is declared with `buffer name: f32[8] = value`",
    "compile": "a spec describes only the architecture: remove this line",
    "fit": "a spec describes only the architecture: remove this line",
    "super": "a block needs no constructor: remove this line",
    "__init__": "a block needs no constructor: remove this line",
    "pass": "a body that does nothing is `identity`: remove this line",
    "break": "a `for` always runs to its end; leave layers out with `if`",
    "continue": "leave layers out of an iteration with `if`",
}
"""Python statements that are parsed as calls or words here."""

_LEFT_OUT = frozenset({"print", "compile", "fit", "super", "__init__", "pass"})


def _instead(statement: ast.ExprStmt) -> str | Fix:
    """A fix for an expression statement whose value is not used."""
    value = statement.value
    function = value.function if isinstance(value, ast.Call) else value
    name = function.name if isinstance(function, ast.Attribute) else statement.span.text
    name = function.text if isinstance(function, ast.Name) else name
    if (called := _of_python(statement, function, name)) is not None:
        return called
    if isinstance(value, ast.Labelled) and isinstance(value.inner, ast.ListExpr):
        return "inputs are declared with `input x: [..]`"
    if isinstance(value, ast.For) and _appends(value):
        return (
            "lists cannot be changed; a loop that collects results has them as its state: "
            "`x -> for .. { input y, ...found  z = y -> f  output (z, ...found, z) }`"
        )
    if isinstance(value, ast.IfLayer):
        return _outputs_when(value) or _chosen(value) or _applied(value, "if")
    if isinstance(value, ast.For):
        return _applied(value, "for")
    if statement.span.text.startswith("-"):
        return _half_an_arrow(value) or "to continue the previous line, end it with `-`"
    if isinstance(value, ast.Chain) and isinstance(value.stages[0], ast.Call):
        # to bind it would only hide that it has no input
        first = value.stages[0].span.text[:20]
        return f"join it to its data with `->`: `y = x -> {first} -> ..`"
    if isinstance(value, ast.Chain):
        return _bound(value)
    if isinstance(value, ast.Labelled) and value.label.span.text.isidentifier():
        name, place = value.label.span.text, value.label.span
        colon = Span(place.source, place.end, value.inner.span.start)
        words = f"a layer that is applied later is bound to a name: `{name} = ..`"
        return Fix(words, (Edit(colon, " = "),))
    return "join chains with `->`, or bind the result: `y = ..`"


def _half_an_arrow(value: ast.Expr) -> Fix | None:
    """`->` for the `-` of a line `- relu`, which continues the previous one."""
    first = value.stages[0] if isinstance(value, ast.Chain) else value
    if not isinstance(first, ast.Unary) or first.operator != "-":
        return None
    layer = first.operand.function if isinstance(first.operand, ast.Call) else first.operand
    is_layer = isinstance(layer, ast.Name) and layer.text in all_ops()
    if not is_layer and not isinstance(first.operand, ast.Call):
        return None
    sign = Span(first.span.source, first.span.start, first.span.start + 1)
    return Fix("a layer is joined with `->`", (Edit(sign, "->"),))


def _applied(value: ast.For | ast.IfLayer, word: str) -> str:
    """The help for a loop or choice without data, with the name that its body binds."""
    body = value.body if isinstance(value, ast.For) else value.then
    binds = [one for one in body.statements if isinstance(one, ast.Bind)]
    targets = binds[0].targets if len(binds) == len(body.statements) == 1 else ()
    if len(targets) == 1 and isinstance(targets[0], ast.NameTarget) and word == "for":
        name = targets[0].name
        return (
            "names are not changed: a loop is a layer, which is applied to data, and its body is "
            f"applied to the result so far: `{name}2 = {name} -> for .. {{ f }}`"
        )
    return f"give it an input and bind its result: `y = x -> {word} ..`"


def _of_python(statement: ast.ExprStmt, function: ast.Expr, name: str) -> Fix | None:
    """What is written instead of a call or word of Python or PyTorch."""
    if name in _CALLED:
        return Fix(_CALLED[name], _line_out(statement.span) if name in _LEFT_OUT else ())
    if name.endswith("_") and ".init." in f".{function.span.text}":
        return Fix(f"an initial value is declared: `init conv.weight = {name.rstrip('_')}`")
    return None


def _outputs_when(node: ast.IfLayer) -> Fix | None:
    """`output aux = y when training` for `if training { output aux = y }`."""
    outputs = [one for one in node.then.statements if isinstance(one, ast.Output)]
    names = [name for one in outputs for name in one.names]
    if not names or any(isinstance(one, ast.Input) for one in node.then.statements):
        return None
    condition = node.condition.span.text
    words = f"an output that may be absent is written `output {names[0]} = .. when {condition}`"
    kinds = (ast.Output, ast.Bind)
    plain = all(isinstance(one, kinds) for one in node.then.statements)
    if node.otherwise is not None or not plain or any(one.when for one in outputs):
        return Fix(words)
    margin = "\n" + " " * (node.span.column - 1)
    lines = [
        f"{one.span.text} when {condition}" if isinstance(one, ast.Output) else one.span.text
        for one in node.then.statements
    ]
    return Fix(words, (Edit(node.span, margin.join(lines)),))


def _chosen(node: ast.IfLayer) -> Fix | None:
    """`h = if c { x -> f } else { x -> g }` for `if c { h = x -> f } else { h = x -> g }`."""
    bodies = [body for body in (node.then, node.otherwise) if body is not None]
    binds = [one for body in bodies for one in body.statements if isinstance(one, ast.Bind)]
    targets = {one.targets[0].name for one in binds if isinstance(one.targets[0], ast.NameTarget)}
    if len(bodies) != len(binds) or len(targets) != 1 or any(len(one.targets) > 1 for one in binds):
        return None
    if any(len(body.statements) > 1 for body in bodies):
        return None
    (name,) = targets
    words = f"the result of the choice is bound as a whole: `{name} = if c {{ .. }} else {{ .. }}`"
    if node.otherwise is None:
        return Fix(words)
    source, start = node.span.source, node.span.start
    bound = (Edit(Span(source, one.span.start, one.value.span.start), "") for one in binds)
    return Fix(words, (Edit(Span(source, start, start), f"{name} = "), *bound))


def _appends(node: ast.For) -> bool:
    """Whether the loop collects results in a list, as in Python."""
    statements = (one for one in node.body.statements if isinstance(one, ast.ExprStmt))
    functions = (one.value.function for one in statements if isinstance(one.value, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.name == "append" for one in functions)


def _bound(chain: ast.Chain) -> Fix:
    """The fix that binds the result of a chain, to the name of its last label if it has one."""
    labels = [stage.label.span.text for stage in chain.stages if isinstance(stage, ast.Labelled)]
    name = next((one for one in reversed(labels) if one.isidentifier()), "y")
    words = f"bind its result: `{name} = {chain.stages[0].span.text[:20]} -> ..`"
    if labels:
        words += "; a label names the layer, and not its result"
    place = Span(chain.span.source, chain.span.start, chain.span.start)
    return Fix(words, (Edit(place, f"{name} = "),))


def _line_out(place: Span) -> tuple[Edit, ...]:
    """The edit that removes the line of a statement, if nothing else is on the line."""
    source = place.source
    if source.line(place.line).strip() != place.text.strip():
        return ()
    starts = source.line_starts
    end = starts[place.line] if place.line < len(starts) else len(source.text)
    return (Edit(Span(source, starts[place.line - 1], end), ""),)
