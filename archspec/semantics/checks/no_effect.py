"""Warnings about code that has no effect, or another effect than it seems to have.

These are parameters of a network (W0702) and inputs (W0704) that are never read, names that hide
others (W0201), and what `instances` and `precedence` find.
Unused parameters of blocks and rules are not reported: they may serve a common way of calling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archspec.diagnostics.model import Severity, Sink, diagnostic
from archspec.ops.registry import all_ops
from archspec.semantics.checks.instances import check_instances
from archspec.semantics.checks.precedence import check_precedence
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope
from archspec.semantics.program.modules import PRELUDE
from archspec.semantics.values.bare_words import INITIALISER_NAMES
from archspec.semantics.values.functions import FUNCTIONS
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import target_names

Names = frozenset[str]


def check_silent(scope: ModuleScope, sink: Sink) -> None:
    """Report code without effect in a file, and names that hide others."""
    _check_names(scope, sink)
    check_precedence(scope, sink)
    check_instances(scope, sink)
    for definition in scope.own.values():
        if isinstance(definition, BlockDefinition) and definition.node.is_network:
            _check_parameters(scope, definition, sink)


def check_inputs(scope: ModuleScope, sink: Sink) -> None:
    """Report (W0704) inputs that are not read, in a file without errors."""
    for definition in scope.own.values():
        if isinstance(definition, BlockDefinition) and not sink.failed:
            _check_inputs(scope, definition, sink)


# ---------------------------------------------------------------------- parameters


def _check_parameters(scope: ModuleScope, network: BlockDefinition, sink: Sink) -> None:
    if network.damaged or scope.error_lines:
        return
    parts = [network.node.body]
    read = set(_reads(parts))
    for parameter in network.parameters:
        read.update(_reads((parameter.domain, parameter.default)))
    for parameter in network.parameters:
        name = parameter.name or "_"
        if name in read or name.startswith("_"):
            continue
        sink.report(
            diagnostic(
                "W0702",
                f"nothing in `{network.name}` reads its parameter `{name}`",
                parameter.span,
                fix="remove it, or start its name with `_` if this is intended",
                severity=Severity.WARNING,
            )
        )


def _check_inputs(scope: ModuleScope, block: BlockDefinition, sink: Sink) -> None:
    """Report (W0704) inputs of which neither the data nor a size is read."""
    if block.damaged or scope.error_lines:
        return
    body = block.node.body
    inputs = [item for one in body.statements if isinstance(one, ast.Input) for item in one.items]
    rest = [one for one in body.statements if not isinstance(one, ast.Input)]
    conditions = [(one.where, one.when) for one in body.statements if isinstance(one, ast.Input)]
    if not any(isinstance(one, ast.Output) for one in rest):
        return
    read = {*_reads((rest, conditions)), *_reads([one.type for one in inputs if one.rest])}
    in_types = [frozenset(_reads([one.type])) for one in inputs]
    types_with = Counter(name for names in in_types for name in names)
    for item, own in zip(inputs, in_types, strict=True):
        sizes = item.type.dims if item.type is not None else ()
        named = {one.value.text for one in sizes if isinstance(one.value, ast.Name)}
        alone = {name for name in named if types_with[name] == (name in own)}
        if item.name in read or item.name.startswith("_") or alone & read:
            continue
        sink.report(
            diagnostic(
                "W0704",
                f"nothing in `{block.name}` reads its input `{item.name}`",
                item.span,
                fix="remove it, or start its name with `_` if this is intended",
                severity=Severity.WARNING,
            )
        )


def _reads(parts: Iterable[object]) -> Iterator[str]:
    """Names that are read, except those bound by an inner scope."""
    nothing: Names = frozenset()
    stack: list[tuple[object, Names]] = [(tuple(parts), nothing)]
    while stack:
        item, bound = stack.pop()
        if isinstance(item, ast.Name):
            if item.text not in bound:
                yield item.text
        elif isinstance(item, ast.Body):
            stack.append((item.statements, bound | _bound(item)))
        elif isinstance(item, ast.For):
            stack += [(item.iterable, bound), (item.body, bound.union(target_names(item.targets)))]
        elif isinstance(item, ast.Comprehension):
            inner = bound.union(target_names(item.targets))
            stack += [(item.iterable, bound), ((item.element, item.condition), inner)]
        elif isinstance(item, tuple | list):
            stack.extend((part, bound) for part in item)
        elif isinstance(item, ast.Node):
            stack.extend((part, bound) for part in item.parts)


def _bound(body: ast.Body) -> Names:
    """Names of inputs and bindings; dims of shapes may refer to names outside."""
    found: set[str] = set()
    for statement in body.statements:
        if isinstance(statement, ast.Input):
            found.update(item.name for item in statement.items)
        elif isinstance(statement, ast.Bind):
            found.update(target_names(statement.targets))
        elif isinstance(statement, (ast.ParamDecl, ast.BufferDecl, ast.Shared)):
            found.add(statement.name)
    return frozenset(found)


# ---------------------------------------------------------------------- names


def _check_names(scope: ModuleScope, sink: Sink) -> None:
    brought: dict[str, str] = {}  # the module that each name comes from
    for name, module, span in scope.brought:
        if name in scope.own or module == f"std.{PRELUDE}":
            continue  # the file's own definition hides it, and is reported below
        earlier = brought.get(name, module)
        what = _meaning(scope, name)
        if earlier != module:
            what = f"`{name}` of `{earlier}`, which this file uses, too"
        if what and span is not None:
            _warn(f"`{name}` of `{module}` hides {what}", span, "remove one of them", sink)
        brought[name] = module
    modules = {name: module for name, module, _ in scope.brought}
    for name, definition in scope.own.items():
        what = _meaning(scope, name)
        if name in modules:
            what = f"`{name}` of `{modules[name]}`, which this file uses"
        if what:
            message = f"this `{name}` hides {what}"
            _warn(message, definition.name_span, "give it another name", sink)


def _meaning(scope: ModuleScope, name: str) -> str:
    """A description of a name's meaning without definitions, or ""."""
    if name in scope.prelude:
        return f"`{name}` of `std.{PRELUDE}`, which is visible everywhere"
    if name in all_ops():
        return f"the op `{name}`"
    if name in FUNCTIONS:
        return f"the function `{name}`"
    return f"the initialiser `{name}`" if name in INITIALISER_NAMES else ""


def _warn(message: str, span: Span, fix: str, sink: Sink) -> None:
    sink.report(diagnostic("W0201", message, span, fix=fix, severity=Severity.WARNING))
