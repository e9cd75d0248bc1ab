"""The table of parameters and buffers, by full name.

The full name of a tensor is the dotted path of calls, instance, region and parameter. The table
is the union of what the training and the inference graph own. It is written out, and so runs on
a budget; `archspec.analysis.counting` counts without writing anything out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from archspec.analysis.counting import count
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled
from archspec.graph.init_rules import rule_for
from archspec.graph.model import Graph, InitRule, Instance
from archspec.graph.names import join_path
from archspec.graph.owned import Owned, owned
from archspec.graph.ties import ties_below
from archspec.ops.base import Parameter
from archspec.types.initialiser import Initialiser
from archspec.types.tensor import DType

EXPANSION_BUDGET = 250_000
"""Maximum number of tensors of a table and a built network, and of its modules."""


@frozen
class Entry:
    """One tensor of a network. `name` is its full name, `owner` the path of its instance.

    `initialiser` is the one that applies: an attribute in the spec, otherwise the innermost `init`
    statement, otherwise the default of the op. None means that the op fills the tensor itself.
    `tied` is the name of the tensor to which it is tied, if any.
    """

    name: str
    owner: str
    parameter: Parameter
    initialiser: Initialiser | None
    op: str
    instance: Instance
    tied: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.parameter.shape

    @property
    def dtype(self) -> DType:
        """Its element type."""
        return self.parameter.dtype

    @property
    def learnable(self) -> bool:
        """False for buffers."""
        return self.parameter.learnable

    @property
    def persistent(self) -> bool:
        """Whether it is in the state dict."""
        return self.parameter.persistent

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.parameter.shape)


def table(compiled: Compiled, budget: int = EXPANSION_BUDGET) -> tuple[Entry, ...]:
    """All parameters and buffers of a network, in order of first use.

    Raises CompileFailed (E0520) if there are more than `budget` tensors.
    """
    require_expandable(compiled, budget)
    found: dict[str, Entry] = {}
    for entry in _entries(compiled.training):
        found.setdefault(entry.name, entry)
    if compiled.inference is not compiled.training:
        for entry in _entries(compiled.inference):
            found.setdefault(entry.name, entry)
    ties = {**ties_below(compiled.training), **ties_below(compiled.inference)}
    for name, source in ties.items():
        found[name] = replace(found[name], tied=source, initialiser=found[source].initialiser)
    return tuple(found.values())


def require_expandable(compiled: Compiled, budget: int = EXPANSION_BUDGET) -> None:
    """Raise CompileFailed (E0520) if a network owns more than `budget` tensors."""
    counts = count(compiled)
    if counts.tensors > budget:
        raise CompileFailed([unexpanded(compiled, counts.tensors, "parameter tensors", budget)])


def unexpanded(compiled: Compiled, number: int, what: str, budget: int) -> Diagnostic:
    """The diagnostic (E0520) for a network with more of something than can be written out."""
    return diagnostic(
        "E0520",
        f"`{compiled.name}` has {number:,} {what}; at most {budget:,} can be written out (the "
        "expansion budget)",
        compiled.inference.origin.span,
        notes=["costs and drawings are still available: `archspec show` and `draw`"],
        fix="build a smaller preset",
    )


def _entries(root: Graph) -> Iterator[Entry]:
    stack: list[tuple[str, tuple[tuple[InitRule, ...], ...], Iterator[Owned]]]
    stack = [("", (), owned(root))]
    while stack:
        prefix, rules, items = stack[-1]
        item = next(items, None)
        if item is None:
            stack.pop()
            continue
        path = join_path(prefix, item.path)
        if item.instance.graph is not None:
            callee = item.instance.graph
            stack.append((path, (*item.rules, *rules), owned(callee)))
            continue
        for parameter in item.parameters:
            yield Entry(
                join_path(path, parameter.name),
                path,
                parameter,
                resolve_initialiser(item.instance, parameter, (*item.rules, *rules)),
                item.instance.title,
                item.instance,
            )


def resolve_initialiser(
    instance: Instance, parameter: Parameter, rules: tuple[tuple[InitRule, ...], ...]
) -> Initialiser | None:
    """The initialiser of a parameter; `rules` of the enclosing graphs, innermost first.

    `rule_for` says which of those of one graph.
    """
    named = parameter.parametrises or parameter.name
    attribute = f"{named}_init" if named else "init"
    if attribute in instance.explicit or not parameter.learnable or instance.op is None:
        return parameter.initialiser
    found = (rule_for(level, instance.op, parameter) for level in rules)
    rule = next(filter(None, found), None)
    return rule.initialiser if rule is not None else parameter.initialiser
