"""Notes on layers that look shared but are not (N0601).

A name for a layer is a definition, and each use of it is an instance with weights of its own. In
PyTorch, `self.tower` is one module wherever it is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archspec.diagnostics.model import Edit, Fix, Severity, Sink, diagnostic
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope
from archspec.source import Span
from archspec.syntax import ast
from archspec.syntax.visit import walk


def check_instances(scope: ModuleScope, sink: Sink) -> None:
    """Report (N0601) layers that are applied to several inputs, or twice in sequence."""
    for definition in scope.tree.definitions:
        if not isinstance(definition, ast.BlockDef):
            continue
        layers = {
            statement.targets[0].name: statement
            for statement in definition.body.statements
            if isinstance(statement, ast.Bind)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.NameTarget)
            and _has_weights(scope, statement.value)
        }
        if layers:
            _check_uses(definition, layers, sink)


def _has_weights(scope: ModuleScope, node: ast.Expr) -> bool:
    """Whether it is a layer, as written, with an op that has weights or a call of a block."""
    stages = node.stages if isinstance(node, ast.Chain) else (node,)
    found = False
    for stage in stages:
        while isinstance(stage, ast.Labelled | ast.Group):
            stage = stage.inner
        function = stage.function if isinstance(stage, ast.Call) else stage
        if not isinstance(function, ast.Name):
            return False
        definition, op = scope.definition(function.text), all_ops().get(function.text)
        if isinstance(definition, BlockDefinition):
            found = True
        elif definition is not None or op is None:
            return False
        else:
            found = found or op.parameters is not Op.parameters
    return found


def _check_uses(block: ast.BlockDef, layers: dict[str, ast.Bind], sink: Sink) -> None:
    inputs = {
        item.name
        for one in block.body.statements
        if isinstance(one, ast.Input)
        for item in one.items
    }
    uses: dict[str, dict[object, ast.Name]] = {}
    for chain in _chains(block.body):
        for index, stage in enumerate(chain.stages):
            if isinstance(stage, ast.Name) and stage.text in layers and index:
                before = chain.stages[:index]
                last = before[-1].text if isinstance(before[-1], ast.Name) else None
                if last == stage.text:
                    uses.setdefault(stage.text, {})[last] = stage
                elif _is_input(before, inputs):
                    uses.setdefault(stage.text, {})[_text(before)] = stage
    repeated = _in_loops(block.body, layers)
    for name, bound in layers.items():
        found = uses.get(name, {})
        if len(found) > 1 or name in found:
            message = f"each use of `{name}` is an instance with weights of its own"
            _note(message, bound, name, list(found.values())[-1], sink)
        elif name in repeated and not _normalises(bound.value):
            message = f"each iteration has an instance of `{name}` with weights of its own"
            _note(message, bound, name, repeated[name], sink)


def _normalises(value: ast.Expr) -> bool:
    """Whether it is a norm, which usually has weights of its own wherever it is used."""
    function = value.function if isinstance(value, ast.Call) else value
    op = all_ops().get(function.text) if isinstance(function, ast.Name) else None
    return op is not None and op.category == "normalisation"


def _in_loops(body: ast.Body, layers: Mapping[str, ast.Bind]) -> dict[str, ast.Name]:
    """The layers that are stages in the body of a loop without a label, each with its first use."""
    found: dict[str, ast.Name] = {}
    for loop in walk(body):
        for item in walk(loop.body) if isinstance(loop, ast.For) else ():
            stages: Sequence[ast.Expr] = ()
            if isinstance(item, ast.Chain):
                stages = item.stages
            elif isinstance(item, ast.ExprStmt | ast.Output):
                stages = (item.value,)
            for stage in stages:
                if isinstance(stage, ast.Name) and stage.text in layers:
                    found.setdefault(stage.text, stage)
    return found


def _is_input(stages: Sequence[ast.Expr], inputs: set[str]) -> bool:
    """Whether it is an input of the block, as it is or after ops without weights."""
    first, *others = stages
    return isinstance(first, ast.Name) and first.text in inputs and not any(map(_learns, others))


def _learns(stage: ast.Expr) -> bool:
    """Whether a stage may have weights: anything but an op without parameters."""
    function = stage.function if isinstance(stage, ast.Call) else stage
    op = all_ops().get(function.text) if isinstance(function, ast.Name) else None
    return op is None or op.parameters is not Op.parameters


def _text(stages: Sequence[ast.Expr]) -> str:
    return " -> ".join(stage.span.text for stage in stages)


def _chains(body: ast.Body) -> Iterator[ast.Chain]:
    for item in walk(body):
        if isinstance(item, ast.Chain):
            yield item


def _note(message: str, bound: ast.Bind, name: str, use: ast.Name, sink: Sink) -> None:
    start = bound.span.start
    edit = Edit(Span(bound.span.source, start, start), "shared ")
    sink.report(
        diagnostic(
            "N0601",
            message,
            use.span,
            secondary=[(bound.span, "a name for a layer is a definition, not an instance")],
            notes=("with a label at each use, `first: f`, this is not reported",),
            fix=Fix(f"for one set of weights write `shared {name} = ..`", (edit,)),
            severity=Severity.NOTE,
        )
    )
