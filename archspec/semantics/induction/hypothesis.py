"""The induction hypothesis: calls of rules with signatures satisfy them."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.frozen import frozen
from archspec.semantics.arguments.binding import bind_arguments
from archspec.semantics.expansion.signatures import promised, signature_sides
from archspec.semantics.induction.data import data_of, parts_of
from archspec.semantics.induction.domain import Domain, bounds
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.context import GraphContext, NotInductive, SpecError
from archspec.semantics.values.model import BlockLayer, Copies, Environment, Value
from archspec.semantics.values.operators import plain
from archspec.source import Span
from archspec.types.condition import Condition, at_least, disjunction
from archspec.types.dim import Dim, DimLike, dim
from archspec.types.solver import VerdictKind


@frozen
class Hypothesis:
    """The assumptions about calls in a clause of the rule being checked.

    The signature of a called rule holds for arguments in its domain; that of the rule itself, for
    calls in which some integer parameter is less than in the clause.
    """

    rule: RuleDefinition
    domain: Domain
    arguments: Mapping[str, DimLike]

    def answer(self, context: GraphContext, layer: BlockLayer, data: Value, span: Span) -> Value:
        """The result of a call according to the signature of its rule.

        Raises SpecError (E0508) if it leaves the domain, NotInductive if the hypothesis does not
        cover it.
        """
        rule = layer.definition
        assert isinstance(rule, RuleDefinition)
        assert rule.signature is not None
        arguments = bind_arguments(context, layer, span)
        _require_domain(self, context, rule, arguments, span)
        if rule is self.rule:
            _require_descent(self.arguments, context, arguments, span)
        sides = context.within(Environment(rule.module))
        for name, value in arguments.items():
            sides.environment.bind(name, plain(value))
        parts = parts_of(data)
        taken = signature_sides(sides, rule.signature.inputs, against=parts)
        for segment, part in zip(taken, parts, strict=False):
            if isinstance(part, Copies) != (segment.count != 1):
                raise NotInductive("a call takes a tuple of another structure than its signature")
        return data_of(promised(sides, rule.signature.outputs), context.builder, "y", span)


def _require_domain(
    hypothesis: Hypothesis,
    context: GraphContext,
    rule: RuleDefinition,
    arguments: Mapping[str, Value],
    span: Span,
) -> None:
    """Require that the arguments of a call are in the domain of the called rule."""
    for index, parameter in enumerate(rule.parameters):
        name = parameter.name or "_"
        value = arguments[name]
        if rule is not hypothesis.rule and parameter.domain is None:
            continue
        if not isinstance(value, (int, Dim)):
            continue
        for condition, says in _inside(value, *bounds(rule, index, context.session)):
            verdict = context.session.decide(condition, span)
            if verdict.kind is not VerdictKind.ALWAYS:
                example = hypothesis.domain.example(verdict.counterexample)
                raise _outside(context, hypothesis.domain, name, value, says, example, span)


def _inside(value: DimLike, start: int, stop: int | None) -> list[tuple[Condition, str]]:
    """Conditions for a value to be in a range, each with its description of the domain."""
    conditions = [(at_least(value, start), f"begins at {start}")]
    if stop is not None:
        conditions.append((at_least(stop - 1, value), f"ends before {stop}"))
    return conditions


def _outside(
    context: GraphContext,
    domain: Domain,
    name: str,
    value: DimLike,
    says: str,
    example: str,
    span: Span,
) -> SpecError:
    shown = dim(value).substitute(domain.readable)
    return context.error(
        "E0508",
        f"this call leaves the domain of `{name}`, which {says}",
        span,
        notes=(f"it is {shown} where {example}",) if example else (),
        fix="add a clause that ends the recursion earlier, or widen the domain",
    )


def _require_descent(
    here: Mapping[str, DimLike],
    context: GraphContext,
    arguments: Mapping[str, Value],
    span: Span,
) -> None:
    """Require that some parameter decreases in a call of the rule itself."""
    smaller = [
        at_least(here[name], dim(value) + 1)
        for name, value in arguments.items()
        if isinstance(value, (int, Dim))
    ]
    comes_down = context.session.decide(disjunction(smaller), span)
    if comes_down.kind is not VerdictKind.ALWAYS:
        raise NotInductive("no integer parameter decreases with each call")
