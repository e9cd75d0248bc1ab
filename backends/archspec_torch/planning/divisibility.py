"""The conditions under which axes can be split into parts, as the code does in `forward`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from archspec.graph.expression import (
    Expression,
    Number,
    Operation,
    evaluated,
    has_unknown_sizes,
)
from archspec.graph.model import Graph, Node
from archspec.ops.rearrangement import Rearrange, Reduce, Repeat
from archspec_torch.code.products import factors_of, quotient
from archspec_torch.planning.size_origins import size_origins


def divisions(graph: Graph) -> Iterator[Expression]:
    """For each axis that is split into parts: `D % heads == 0`.

    An axis whose size, or that of a part, has no known expression is left out.
    """
    origins = size_origins(graph)
    for node in graph.nodes:
        for part in _inferred(graph, node):
            if not isinstance(part, Operation) or part.sign != "//":
                continue
            condition = Operation("==", (Operation("%", part.operands), Number(0)))
            if not has_unknown_sizes(condition) and evaluated(condition, origins.names) is True:
                yield condition


def is_implied(condition: Expression, known: Collection[Expression]) -> bool:
    """Whether `9 * C // 4 % (C // 4) == 0` holds since `C % 4 == 0` is known.

    Without the latter a quotient is rounded, and need not be a multiple.
    """
    match condition:
        case Operation(
            "==",
            (
                Operation(
                    "%",
                    (Operation("//", (above, below)), Operation("//", (part, divisor))),
                ),
                Number(0),
            ),
        ) if below == divisor:
            number, factors = factors_of([above])
            by, divisors = factors_of([part])
            exact = Operation("==", (Operation("%", (part, divisor)), Number(0)))
            return number % by == 0 and not divisors - factors and exact in known
    return False


def _inferred(graph: Graph, node: Node) -> Iterator[Expression]:
    """The sizes of parts that a pattern leaves open, as quotients."""
    if not isinstance(node.op, Rearrange | Reduce | Repeat):
        return
    (source,) = node.inputs
    taken = node.op.plan(graph.type_of(source))
    given = size_origins(graph).given_by_name(node)
    start = 0
    for axis, count in enumerate(taken.taken_apart):
        places = range(start, start + count)
        start += count
        others = [given.get(taken.names[at]) for at in places if at not in taken.inferred]
        known = [size for size in others if size is not None]
        whole = size_origins(graph).of(source, axis)
        if whole is not None and 0 < len(known) == len(others) == count - 1:
            yield quotient(whole, known)
