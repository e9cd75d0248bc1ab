"""The proof of one signature: each clause is expanded for symbols and compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archspec.diagnostics.model import Sink, diagnostic
from archspec.semantics.arguments.binding import bind_arguments
from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.building.names import NameScope
from archspec.semantics.expansion.requirements import sizes_text
from archspec.semantics.expansion.signatures import (
    Segment,
    matched,
    promised,
    segments_of,
    signature_sides,
)
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.budget import Budget
from archspec.semantics.values.context import (
    Context,
    GraphContext,
    NotInductive,
    OpenCondition,
    Session,
    SpecError,
)
from archspec.semantics.values.evaluation import apply_layer, evaluate
from archspec.semantics.values.functions import RangeValue
from archspec.semantics.values.model import BlockLayer, Copies, Environment, Poison, Value
from archspec.semantics.values.operators import is_condition, plain
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.condition import (
    FALSE,
    TRUE,
    Condition,
    at_least,
    conjunction,
    disjunction,
    equal,
    negation,
)
from archspec.types.dim import Dim, dim
from archspec.types.solver import VerdictKind

MAX_CASES = 6


@dataclass
class Proof:
    """One signature under check."""

    rule: RuleDefinition
    sink: Sink
    budget: Budget
    symbols: dict[str, Dim] = field(default_factory=dict)
    lower: dict[str, int] = field(default_factory=dict)
    domain: Condition = TRUE
    arguments: Mapping[str, Value] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    """Why clauses are not proved."""

    def run(self) -> None:
        """Report what each clause does not keep. Raises NotInductive, SpecError."""
        self._parameters()
        earlier: list[Condition] = []
        for clause in self.rule.clauses:
            chosen = self._condition(clause)
            here = conjunction([self.domain, chosen, *(negation(item) for item in earlier)])
            earlier.append(chosen)
            if self.budget.decide(here, TRUE, clause.name_span).kind is not VerdictKind.NEVER:
                self._one(clause, here)
        left = conjunction([self.domain, *(negation(item) for item in earlier)])
        self._covered(left)

    def _one(self, clause: ast.RuleClause, here: Condition) -> None:
        """Check one clause; where induction does not apply to it, others may still be wrong."""
        try:
            self._clause(clause, here)
        except NotInductive as error:
            self.reasons.append(str(error))

    def _covered(self, left: Condition) -> None:
        verdict = self.budget.decide(negation(left), TRUE, self.rule.name_span)
        if left == FALSE or verdict.kind is VerdictKind.ALWAYS:
            return
        if verdict.kind is VerdictKind.UNDECIDED:
            raise NotInductive(verdict.reason)
        example = sizes_text(self._real(verdict.counterexample or {}))
        self.sink.report(
            diagnostic(
                "E0504",
                f"no clause of `{self.rule.name}` takes {example or 'some values'}",
                self.rule.name_span,
                fix="narrow the domain in the signature, or add a clause",
            )
        )

    # ------------------------------------------------------------------ parameters

    def _parameters(self) -> None:
        conditions: list[Condition] = []
        session = self._session(TRUE)
        for index, parameter in enumerate(self.rule.parameters):
            name = parameter.name or "_"
            kind = parameter.type.name if parameter.type is not None else "untyped"
            if kind != "int":
                raise NotInductive(f"`{name}` is not an integer but {kind}")
            lower, upper = self._bounds(session, self.rule, index)
            self.lower[name] = lower
            self.symbols[name] = Dim.symbol(name) + (lower - 1)
            if upper is not None:
                conditions.append(at_least(upper - 1, self.symbols[name]))
        self.domain = conjunction(conditions)

    def _bounds(self, session: Session, rule: RuleDefinition, index: int) -> tuple[int, int | None]:
        parameter = rule.parameters[index]
        patterns = [
            clause.parameters[index].pattern
            for clause in rule.clauses
            if index < len(clause.parameters)
        ]
        literals = [item.value for item in patterns if isinstance(item, ast.Number)]
        whole = [value for value in literals if isinstance(value, int)]
        if parameter.domain is None:
            return min([1, *whole]), None
        context = Context(session, Environment(rule.module), ())
        domain = evaluate(context, parameter.domain)
        if not isinstance(domain, RangeValue):
            raise NotInductive("a domain is not a range")
        return domain.start, domain.stop

    def _real(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """A counterexample in the reader's terms: a parameter begins at its domain, not at 1."""
        return {
            name: value + self.lower.get(name, 1) - 1
            for name, value in sizes.items()
            if name in self.lower
        }

    def _shown(self, value: Value) -> str:
        """A value in the reader's terms."""
        return str(value.substitute(self._shift) if isinstance(value, Dim) else value)

    @property
    def _shift(self) -> dict[str, Dim]:
        """What the symbols, which begin at 1, are called by the reader."""
        return {name: Dim.symbol(name) - (low - 1) for name, low in self.lower.items()}

    # ------------------------------------------------------------------ clauses

    def _condition(self, clause: ast.RuleClause) -> Condition:
        parts: list[Condition] = []
        environment = Environment(self.rule.module)
        for parameter, name in zip(clause.parameters, self.symbols, strict=False):
            symbol = self.symbols[name]
            if parameter.pattern is None:
                environment.bind(parameter.name or "_", symbol)
                continue
            if not isinstance(parameter.pattern, ast.Number):
                raise NotInductive("a pattern is no number")
            if not isinstance(parameter.pattern.value, int):
                raise NotInductive("a pattern is no integer")
            parts.append(equal(symbol, parameter.pattern.value))
        if clause.guard is not None:
            context = Context(self._session(TRUE), environment, ())
            value = evaluate(context, clause.guard)
            if isinstance(value, bool):
                parts.append(TRUE if value else FALSE)
            elif is_condition(value):
                parts.append(value)  # type: ignore[arg-type]  # a condition, just tested
            else:
                raise NotInductive("a guard is no condition on integers")
        return conjunction(parts)

    def _session(self, given: Condition) -> Session:
        session = Session(self.sink, self.budget, False, {})
        session.given = given
        session.integer_symbols = frozenset(self.symbols)
        session.by_signature = self._by_signature
        return session

    def _clause(self, clause: ast.RuleClause, here: Condition, cases: int = 0) -> None:
        """Check one clause; a condition on its parameters that is open splits it into cases."""
        before = self.sink.diagnostics
        try:
            self._expand(clause, here)
        except OpenCondition as split:
            if cases >= MAX_CASES:
                raise NotInductive("its parameters are told apart by too many conditions") from None
            self.sink.replace(before)
            for case in (split.condition, negation(split.condition)):
                inside = conjunction([here, case])
                if self.budget.decide(inside, TRUE, clause.name_span).kind is not VerdictKind.NEVER:
                    self._clause(clause, inside, cases + 1)

    def _expand(self, clause: ast.RuleClause, here: Condition) -> None:
        """Expand one clause and compare what it yields with what the signature promises."""
        session = self._session(here)
        values: dict[str, Value] = {}
        environment = Environment(self.rule.module)
        for parameter, name in zip(clause.parameters, self.symbols, strict=False):
            pattern = parameter.pattern
            value: Value = self.symbols[name]
            if isinstance(pattern, ast.Number):
                value = pattern.value
            values[name] = value
            if parameter.name is not None:
                environment.bind(parameter.name, value, parameter.span)
        self.arguments = values
        builder = GraphBuilder(self.rule.name, "rule")
        context = GraphContext(session, environment, (), builder, NameScope(builder))
        sides, data = self._inputs(context, values)
        try:
            layer = evaluate(context, clause.value)
            result = apply_layer(context, layer, data, clause.value.span)
            if isinstance(result, Poison) or any(isinstance(p, Poison) for p in _parts(result)):
                return
            wanted = promised(sides, self._signature.outputs)
            self._compare(context, segments_of(result), wanted, clause)
        except SpecError as error:
            session.report(error)

    @property
    def _signature(self) -> ast.Signature:
        signature = self.rule.signature
        assert signature is not None
        return signature

    def _inputs(
        self, context: GraphContext, values: Mapping[str, Value]
    ) -> tuple[GraphContext, Value]:
        """The context in which the signature's dims have names, and data of its input types."""
        sides = context.within(Environment(self.rule.module))
        for name, value in values.items():
            sides.environment.bind(name, value)
        builder = context.builder
        data: list[Value] = []
        for segment in signature_sides(sides, self._signature.inputs, fresh=True):
            tensor = builder.add_input("x", segment.type, self._signature.span)
            single = segment.count == 1
            data.append(tensor if single else Copies(segment.count, tensor))
        return sides, _packed(data)

    def _compare(
        self,
        context: GraphContext,
        actual: list[Segment],
        wanted: list[Segment],
        clause: ast.RuleClause,
    ) -> None:
        reason = matched(context, actual, wanted, self._shift, clause.name_span)
        if reason is None:
            return
        text, counterexample = reason
        example = sizes_text(self._real(counterexample))
        self.sink.report(
            diagnostic(
                "E0506",
                f"this clause does not keep the signature of `{self.rule.name}`: {text}",
                clause.name_span,
                secondary=[(self._signature.outputs.span, "this is promised")],
                notes=[f"it fails for {example}"] if example else [],
            )
        )

    # ------------------------------------------------------------------ the hypothesis

    def _by_signature(
        self, context: GraphContext, layer: BlockLayer, data: Value, span: Span
    ) -> Value:
        """The result of a call as the signature of its rule has it."""
        rule = layer.definition
        assert isinstance(rule, RuleDefinition)
        assert rule.signature is not None
        arguments = bind_arguments(context, layer, span)
        self._stays(context, rule, arguments, span)
        if rule is self.rule:
            self._descends(context, arguments, span)
        sides = context.within(Environment(rule.module))
        for name, value in arguments.items():
            sides.environment.bind(name, plain(value))
        for segment, part in zip(
            signature_sides(sides, rule.signature.inputs, against=_parts(data)),
            _parts(data),
            strict=False,
        ):
            if isinstance(part, Copies) != (segment.count != 1):
                raise NotInductive("a call takes a tuple of another form than its signature")
        builder = context.builder
        results: list[Value] = []
        for segment in promised(sides, rule.signature.outputs):
            tensor = builder.add_input("y", segment.type, span)
            results.append(tensor if segment.count == 1 else Copies(segment.count, tensor))
        return _packed(results)

    def _stays(
        self,
        context: GraphContext,
        rule: RuleDefinition,
        arguments: Mapping[str, Value],
        span: Span,
    ) -> None:
        """The arguments of a call must lie in the domain of the rule that is called."""
        for index, parameter in enumerate(rule.parameters):
            name = parameter.name or "_"
            if rule is not self.rule and parameter.domain is None:
                continue
            value = arguments[name]
            if not isinstance(value, (int, Dim)):
                continue
            lower, upper = self._bounds(context.session, rule, index)
            size = dim(value)
            inside = [(at_least(size, lower), f"begins at {lower}")]
            if upper is not None:
                inside.append((at_least(upper - 1, size), f"ends before {upper}"))
            for condition, says in inside:
                verdict = context.session.decide(condition, span)
                if verdict.kind is VerdictKind.ALWAYS:
                    continue
                example = sizes_text(self._real(verdict.counterexample or {}))
                raise context.error(
                    "E0508",
                    f"this call leaves the domain of `{name}`, which {says}",
                    span,
                    notes=(f"it is {self._shown(value)} where {example}",) if example else (),
                    fix="add a clause that ends the recursion before, or widen the domain",
                )

    def _descends(self, context: GraphContext, arguments: Mapping[str, Value], span: Span) -> None:
        """The call must come nearer to its end."""
        smaller = [
            at_least(dim(self.arguments[name]), dim(value) + 1)  # type: ignore[arg-type]
            for name, value in arguments.items()
            if not isinstance(value, Poison)
        ]
        comes_down = context.session.decide(disjunction(smaller), span)
        if comes_down.kind is not VerdictKind.ALWAYS:
            raise NotInductive("no integer parameter comes down with each call")


def _packed(parts: list[Value]) -> Value:
    single = len(parts) == 1 and not isinstance(parts[0], Copies)
    return parts[0] if single else tuple(parts)


def _parts(data: Value) -> tuple[Value, ...]:
    return data if isinstance(data, tuple) else (data,)
