"""Statements that declare something in a body: bindings, parameters, buffers, shared layers."""

from __future__ import annotations

import re
from typing import TypeAlias, assert_never

from archspec.diagnostics.model import Fix
from archspec.diagnostics.suggest import rename
from archspec.graph.expression import Operation
from archspec.graph.model import Draw, InitRule, Tie
from archspec.ops.base import Need, Op
from archspec.ops.registry import all_ops
from archspec.semantics.arguments.layer_calls import initialiser_value
from archspec.semantics.building.graph_builder import Tensor
from archspec.semantics.expansion.requirements import require, settle
from archspec.semantics.expansion.shape_patterns import (
    bind_targets,
    discard,
    name_free,
)
from archspec.semantics.expansion.sources import materialise
from archspec.semantics.expansion.stored_tensors import buffer, parameter
from archspec.semantics.expansion.unpacking_faults import explained
from archspec.semantics.values.context import GraphContext, SpecError
from archspec.semantics.values.display import kind_of, values_in
from archspec.semantics.values.evaluation import evaluate, force, settled
from archspec.semantics.values.model import (
    AbsentLayer,
    Poison,
    SharedLayer,
    Value,
    is_layer,
)
from archspec.semantics.values.operators import is_condition, plain, truth
from archspec.semantics.values.provenance import as_written
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.dim import Dim
from archspec.types.initialiser import Initialiser

Declaration: TypeAlias = (
    "ast.Bind | ast.ParamDecl | ast.BufferDecl | ast.Shared | ast.InitDecl | ast.DrawDecl | "
    "ast.TieDecl | ast.Assert"
)
"""A statement that is neither an input, an output nor an expression."""


def carry_out(context: GraphContext, statement: Declaration) -> None:
    """Expand a statement."""
    match statement:
        case ast.Bind():
            _bind(context, statement)
        case ast.ParamDecl():
            name_free(context, statement.name, statement.span)
            _stored(context, statement, parameter(context, statement))
        case ast.BufferDecl():
            name_free(context, statement.name, statement.span)
            _stored(context, statement, buffer(context, statement))
        case ast.Shared():
            _shared(context, statement)
        case ast.InitDecl():
            _init(context, statement)
        case ast.DrawDecl():
            _draw(context, statement)
        case ast.TieDecl():
            _tie(context, statement)
        case ast.Assert():
            _assert(context, statement)
        case _:
            assert_never(statement)


def _bind(context: GraphContext, statement: ast.Bind) -> None:
    value = evaluate(context, statement.value)
    value = force(context, value, statement.value.span)
    value = materialise(context, value, statement.value.span)
    try:
        bind_targets(context, statement.targets, value, statement.span)
    except SpecError as error:
        raise explained(context, error, statement, value) from None
    for target in statement.targets:
        if isinstance(target, (ast.NameTarget, ast.RestTarget)) and target.name != "_":
            _remember_name(context.environment.local(target.name), target.name)
    _remember_number(context, statement, value)


def _remember_number(context: GraphContext, statement: ast.Bind, value: Value) -> None:
    """Record how a number or size bound to a name was written, over the names of the block."""
    if len(statement.targets) != 1 or not isinstance(statement.targets[0], ast.NameTarget):
        return  # none is left where a fault of syntax took it
    target, environment = statement.targets[0], context.environment
    is_number = isinstance(value, (int, float))
    if not is_number and not isinstance(value, Dim):
        return
    if not is_number and not environment.is_body:  # a size in an inline block
        environment.record_expression(target.name, statement.value)
        return
    written = as_written(statement.value, environment)
    if is_number:
        environment.record_expression(target.name, statement.value)
        if not isinstance(written, Operation) or environment.owner is not context.builder.owner:
            return
    if written is not None:  # of those of inline blocks with one name the first
        context.builder.definitions.setdefault(target.name, written)


def _remember_name(value: Value, name: str) -> None:
    """Record what a value is bound to; the parts of a tuple are numbered."""
    if isinstance(value, tuple):
        for number, part in enumerate(value):
            _remember_name(part, f"{name}_{number}" if len(value) > 1 else name)
    elif isinstance(value, Tensor):
        node, index = value.builder.nodes[value.port.node], value.port.index
        names = node.name.split(", ") if node.name else [""] * len(node.types)
        if not node.is_input and not names[index]:
            names[index] = name
            node.name = ", ".join(names)


def _stored(context: GraphContext, statement: ast.ParamDecl | ast.BufferDecl, value: Value) -> None:
    """Bind a declared tensor to its name."""
    context.environment.bind(statement.name, value, statement.span)
    if isinstance(statement, ast.ParamDecl) and statement.name.startswith("_"):
        discard(context, value)
    _remember_name(value, statement.name)


def _shared(context: GraphContext, statement: ast.Shared) -> None:
    name_free(context, statement.name, statement.span)
    value = evaluate(context, statement.value)
    if isinstance(value, (AbsentLayer, Poison)):
        context.environment.bind(statement.name, value, statement.span)
        return
    if not is_layer(value):
        raise context.error(
            "E0308",
            f"only a layer can be shared, but this is {kind_of(value)}",
            statement.value.span,
        )
    shared = SharedLayer(statement.name, value, statement.span, context.scope.for_shared_layer())
    context.environment.bind(statement.name, shared, statement.span)


def _behind_word(span: Span, name: str) -> Span:
    """The span of a name in a statement."""
    at = span.text.find(name, len("init"))
    return Span(span.source, span.start + at, span.start + at + len(name))


def _init(context: GraphContext, statement: ast.InitDecl) -> None:
    op = all_ops().get(statement.op)
    if op is None:
        place = _behind_word(statement.span, statement.op)
        fix: Fix | None = rename(place, statement.op, all_ops())
        if re.search(rf'"?\b{statement.op}"?:', statement.span.source.text):
            fix = Fix(
                f"an `init` names an op, as in `init linear.{statement.parameter}`; the layer "
                f"labelled `{statement.op}` takes `{statement.parameter}_init=..`"
            )
        raise context.error(
            "E0210", f"there is no op called `{statement.op}`", statement.span, fix=fix
        )
    known = _weights_of(op)
    if _ANY_NUMBER.sub("0", statement.parameter) not in known:
        place = _behind_word(statement.span, statement.parameter)
        fix = rename(place, statement.parameter, known)
        listed = ", ".join(f"`{name}`" for name in sorted(known))
        raise context.error(
            "E0302",
            f"`{op.name}` has no weights called `{statement.parameter}`",
            statement.span,
            notes=(f"it has {listed}",) if known else (),
            fix=fix,
        )
    value = initialiser_value(context, statement.value)
    if isinstance(value, Initialiser) and context.builder is not None:
        origin = context.origin(statement.span)
        rule = InitRule(statement.op, statement.parameter, value, origin)
        context.builder.init_rules.append(rule)


_ANY_NUMBER = re.compile(r"\d+")


def _weights_of(op: type[Op]) -> set[str]:
    """Names of the trainable tensors that an op may own, taken from its examples."""
    names: set[str] = set()
    for example in op.examples:
        made = op.model_validate(dict(example.attributes))
        found = made.parameters(*example.input_types)
        names |= {_ANY_NUMBER.sub("0", item.name) for item in found if item.learnable}
    return names - {""}


def _draw(context: GraphContext, statement: ast.DrawDecl) -> None:
    policy, ratio = "mixed", 0.5
    node = statement.value
    name = node.function if isinstance(node, ast.Call) else node
    if not isinstance(name, ast.Name) or name.text not in ("local", "global", "mixed"):
        raise context.error(
            "E0301",
            "the policy of a draw is `local`, `global` or `mixed(ratio)`",
            node.span,
        )
    policy = name.text
    if isinstance(node, ast.Call) and node.arguments:
        value = evaluate(context, node.arguments[0].value)
        valid = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
        if not valid or len(node.arguments) > 1 or policy != "mixed":
            raise context.error(
                "E0301", "`mixed(ratio)` takes one number from 0 to 1", node.arguments[0].span
            )
        ratio = float(value)  # type: ignore[arg-type]  # checked above
    if context.builder is not None:
        context.builder.draws.append(Draw(statement.name, policy, ratio))


def _tie(context: GraphContext, statement: ast.TieDecl) -> None:
    names: list[str] = []
    for node in (statement.name, statement.source):
        value = plain(settled(context, node))
        if isinstance(value, Poison):
            return
        if not isinstance(value, str):
            what = f"the full name of weights, but this is {kind_of(value)}"
            fix = 'in quotes: `tie "head.weight" = "embed.weight"`'
            raise context.error("E0305", f"`tie` takes {what}", node.span, fix=fix)
        names.append(value)
    if context.builder is not None:
        origin = context.origin(statement.span)
        context.builder.ties.append(Tie(names[0], names[1], origin))


def _assert(context: GraphContext, statement: ast.Assert) -> None:
    message = evaluate(context, statement.message) if statement.message is not None else None
    value = force(context, evaluate(context, statement.condition), statement.condition.span)
    if isinstance(value, Poison):
        return
    text = message if isinstance(message, str) else f"`{statement.condition.span.text}` is false"
    if is_condition(value):
        need = Need(value, text, chosen=True)
        require(context, settle(context, need, statement.condition.span))
    elif not truth(context, value, statement.condition.span):
        raise context.error(
            "E0318",
            text,
            statement.condition.span,
            "asserted here",
            notes=values_in(context.environment, statement.condition),
        )
