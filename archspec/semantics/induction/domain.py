"""The domain of a signature: its integer parameters as symbols, with their ranges."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.frozen import frozen
from archspec.semantics.expansion.requirements import sizes_text
from archspec.semantics.program.definitions import RuleDefinition
from archspec.semantics.values.context import Context, NotInductive, Session
from archspec.semantics.values.evaluation import evaluate
from archspec.semantics.values.model import Environment, RangeValue
from archspec.syntax import ast
from archspec.types.condition import TRUE, Condition, at_least, conjunction
from archspec.types.dim import Dim


@frozen
class Domain:
    """The parameters of a rule being checked, all of them integers.

    A symbol represents integers from 1. The symbol of a parameter that begins at 0 is one more than
    the parameter, so `symbols` maps n to `n - 1`.
    """

    symbols: Mapping[str, Dim]
    """Each parameter, in terms of symbols."""
    starts: Mapping[str, int]
    condition: Condition = TRUE
    """Upper limits of the parameters."""

    @property
    def readable(self) -> Mapping[str, Dim]:
        """The expression for each symbol that gives it the meaning of the parameter of its name."""
        return {name: Dim.symbol(name) - (start - 1) for name, start in self.starts.items()}

    def example(self, counterexample: Mapping[str, int] | None) -> str:
        """A counterexample in terms of parameters, without sizes: `n = 0, w = 4`."""
        values = (counterexample or {}).items()
        starts = self.starts
        return sizes_text({name: n + starts[name] - 1 for name, n in values if name in starts})


def domain_of(rule: RuleDefinition, session: Session) -> Domain:
    """The domain of a rule. Raises NotInductive if a parameter is not an integer in a range."""
    symbols: dict[str, Dim] = {}
    starts: dict[str, int] = {}
    conditions: list[Condition] = []
    for index, parameter in enumerate(rule.parameters):
        name = parameter.name or "_"
        kind = parameter.type.name if parameter.type is not None else "untyped"
        if kind != "int":
            raise NotInductive(f"`{name}` is not an integer but {kind}")
        start, stop = bounds(rule, index, session)
        starts[name] = start
        symbols[name] = Dim.symbol(name) + (start - 1)
        if stop is not None:
            conditions.append(at_least(stop - 1, symbols[name]))
    return Domain(symbols, starts, conjunction(conditions))


def bounds(rule: RuleDefinition, index: int, session: Session) -> tuple[int, int | None]:
    """The half-open range of a parameter: first integer, and end or None.

    Without a declared domain it begins at 1, or at the least number in a clause.
    """
    parameter = rule.parameters[index]
    if parameter.domain is None:
        return min([1, *_literals(rule, index)]), None
    domain = evaluate(Context(session, Environment(rule.module), ()), parameter.domain)
    if not isinstance(domain, RangeValue):
        raise NotInductive("a domain is not a range")
    return domain.start, domain.stop


def _literals(rule: RuleDefinition, index: int) -> list[int]:
    """The integers in the clauses' patterns for a parameter."""
    heads = (clause.parameters for clause in rule.clauses)
    patterns = [head[index].pattern for head in heads if index < len(head)]
    numbers = [pattern.value for pattern in patterns if isinstance(pattern, ast.Number)]
    return [number for number in numbers if isinstance(number, int)]
