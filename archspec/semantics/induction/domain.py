"""The integers that a signature speaks of: parameters as symbols, and where they begin and end."""

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
    """The parameters of a rule under check, all of them integers.

    A symbol stands for integers from 1 on. The symbol of a parameter that begins at 0 is one more
    than the parameter, so `symbols` has `n - 1` for n.
    """

    symbols: Mapping[str, Dim]
    """What each parameter is, in symbols."""
    starts: Mapping[str, int]
    condition: Condition = TRUE
    """Where parameters end."""

    @property
    def readable(self) -> Mapping[str, Dim]:
        """What is to be put for each symbol so that it means the parameter of its name."""
        return {name: Dim.symbol(name) - (start - 1) for name, start in self.starts.items()}

    def example(self, counterexample: Mapping[str, int] | None) -> str:
        """A counterexample in the reader's terms, `n = 0, w = 4`: parameters, but no sizes."""
        values = (counterexample or {}).items()
        starts = self.starts
        return sizes_text({name: n + starts[name] - 1 for name, n in values if name in starts})


def domain_of(rule: RuleDefinition, session: Session) -> Domain:
    """The domain of a rule. Raises NotInductive where a parameter is no integer in a range."""
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
    """Where a parameter begins, and where it ends: the first integer beyond, or None.

    Without a declared domain it begins at 1, or at the least number that a clause names.
    """
    parameter = rule.parameters[index]
    if parameter.domain is None:
        return min([1, *_literals(rule, index)]), None
    domain = evaluate(Context(session, Environment(rule.module), ()), parameter.domain)
    if not isinstance(domain, RangeValue):
        raise NotInductive("a domain is not a range")
    return domain.start, domain.stop


def _literals(rule: RuleDefinition, index: int) -> list[int]:
    """The integers that stand for a parameter in clauses."""
    heads = (clause.parameters for clause in rule.clauses)
    patterns = [head[index].pattern for head in heads if index < len(head)]
    numbers = [pattern.value for pattern in patterns if isinstance(pattern, ast.Number)]
    return [number for number in numbers if isinstance(number, int)]
