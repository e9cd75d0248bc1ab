"""Parameters that only change numbers: no decision in the spec reads them.

A decision is a condition, the number of iterations, the choice of a clause, an index, a label. The
analysis follows a parameter through arithmetic, names bound to it, and arguments of other
definitions. It only reads the syntax tree, so its result is right for all values; what it cannot
follow counts as a decision.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from archspec.graph.expression import Decides
from archspec.ops.registry import all_ops
from archspec.semantics.data_names import compares_data, data_names
from archspec.semantics.program.definitions import (
    BlockDefinition,
    Definition,
    PresetDefinition,
    RuleDefinition,
)
from archspec.semantics.values.bare_words import INITIALISER_NAMES
from archspec.semantics.values.functions import FUNCTIONS
from archspec.semantics.values.model import BlockLayer, OpLayer, Value, is_layer
from archspec.syntax import ast
from archspec.syntax.visit import children, target_names, walk

ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**"})

PASSED_ON = (
    ast.Argument,
    ast.TupleExpr,
    ast.ListExpr,
    ast.Group,
    ast.Spread,
    ast.Chain,
    ast.Anonymous,
    ast.Body,
    ast.ExprStmt,
    ast.TypeExpr,
    ast.NameTarget,
    ast.NestedTarget,
    ast.ParamDecl,
    ast.BufferDecl,
    ast.Shared,
    ast.InitDecl,
    ast.DrawDecl,
    ast.Bind,
)
"""Constructs that are not decisions themselves."""

HANDED_ON: Mapping[type[ast.Node], tuple[str, ...]] = {
    ast.Input: ("items",),
    ast.InputItem: ("type",),
    ast.Output: ("value",),
    ast.DimExpr: ("value", "default"),
}
"""The parts of constructs that are not decisions, although other parts are."""


NUMERIC = frozenset(FUNCTIONS) - {"len", "zip", "enumerate", "reversed"}
"""Functions whose results are numbers."""


@dataclass
class Decisions:
    """The names that decisions read, in all requested definitions, memoised.

    `layers` are the values of those parameters of the definition `outermost` that are layers: only
    their values are known. Without `counts`, the number of iterations of a `for` is none. With
    `alone`, only decisions in one graph count: not those of other blocks that it calls, nor what
    values have to fulfil. Without `needs`, the conditions of a `where` are none; without
    `conditions`, nor are those of an `if` and of the clauses of a rule.
    """

    outermost: Definition
    layers: Mapping[str, Value] = field(default_factory=dict)
    counts: bool = True
    alone: bool = False
    needs: bool = True
    conditions: bool = True
    known: dict[tuple[Definition, frozenset[str]], bool] = field(default_factory=dict)
    data: dict[Definition, Collection[str]] = field(default_factory=dict)

    def read(self, definition: Definition, names: Iterable[str]) -> bool:
        """Whether a decision in a definition, or in those it calls, depends on these names."""
        key = (definition, frozenset(names))
        if key not in self.known:
            before = dict(self.known)
            self.known[key] = False  # for recursive calls
            if self._read(*key):
                # results of nested queries relied on that
                self.known = {**before, **{one: True for one, yes in self.known.items() if yes}}
                self.known[key] = True
        return self.known[key]

    def _read(self, definition: Definition, names: frozenset[str]) -> bool:
        if isinstance(definition, BlockDefinition):
            return self._in_body(
                definition, definition.parameters, names, [definition.node.body], []
            )
        if isinstance(definition, RuleDefinition):
            return any(self._in_clause(definition, one, names) for one in definition.clauses)
        return True

    def data_of(self, definition: Definition) -> Collection[str]:
        """The names of data in a definition."""
        if definition not in self.data:
            self.data[definition] = data_names(definition)
        return self.data[definition]

    def _in_clause(
        self, rule: RuleDefinition, clause: ast.RuleClause, names: frozenset[str]
    ) -> bool:
        own: set[str] = set()
        for parameter, general in zip(clause.parameters, rule.parameters, strict=False):
            if general.name in names:
                if parameter.pattern is not None:
                    if self.conditions:
                        return True
                    continue
                own.add(parameter.name or "_")
        guard = [clause.guard] if clause.guard is not None and self.conditions else []
        return self._in_body(rule, clause.parameters, frozenset(own), [clause.value], guard)

    def _in_body(
        self,
        definition: Definition,
        parameters: Iterable[ast.Parameter],
        names: frozenset[str],
        parts: list[ast.Node],
        decisive: list[ast.Expr],
    ) -> bool:
        tracked = set(names)
        data = self.data_of(definition)
        for parameter in parameters:
            if parameter.default is not None and _mentions(parameter.default, tracked):
                tracked.add(parameter.name or "_")
                parts = [*parts, parameter.default]
            if parameter.domain is not None and not self.alone:
                decisive = [*decisive, parameter.domain]
        while True:
            before = len(tracked)
            for part in parts:
                for node in walk(part):
                    if isinstance(node, ast.Bind) and _yields(node.value, tracked):
                        # what is data has no numbers that a decision could read
                        tracked |= {*target_names(node.targets)}.difference(data)
            if len(tracked) == before:
                break
        walker = _Walker(self, definition, frozenset(tracked))
        start = [*((part, False) for part in parts), *((part, True) for part in decisive)]
        return walker.finds(start)


@dataclass
class _Walker:
    """Finds decisions that read one of the names; `True` marks parts that are decisions."""

    decisions: Decisions
    definition: Definition
    names: frozenset[str]

    def finds(self, stack: list[tuple[ast.Node, bool]]) -> bool:
        while stack:
            node, decides = stack.pop()
            if isinstance(node, ast.Name):
                if decides and node.text in self.names:
                    return True
            elif self.is_length(node):
                stack.extend((part, False) for part in node.arguments)
            elif isinstance(node, ast.Call) and not decides:
                found = self.call(node)
                if found is None:
                    return True
                stack.extend(found)
            else:
                stack.extend((part, mode or decides) for part, mode in self.parts(node))
        return False

    def parts(self, node: ast.Node) -> Iterator[tuple[ast.Node, bool]]:
        """The child nodes, each with whether it is a decision."""
        passive = _passive(node)
        if isinstance(node, ast.Binary) and (self.decisions.alone or self._compares_data(node)):
            passive = tuple(children(node))  # a comparison decides only as a condition
        for part in children(node):
            is_count = isinstance(node, ast.For) and isinstance(part, ast.Range)
            if is_count and not self.decisions.counts:
                continue
            is_need = isinstance(node, ast.Input) and any(part is one for one in node.where)
            if is_need and (self.decisions.alone or not self.decisions.needs):
                continue
            is_condition = isinstance(node, ast.IfValue | ast.IfLayer) and part is node.condition
            if is_condition and not self.decisions.conditions:
                continue
            yield part, not any(part is one for one in passive)

    def is_length(self, node: ast.Node) -> TypeGuard[ast.Call]:
        """Whether it is the length of a list, which no number in the list changes.

        What does change it, such as the range of a comprehension, is a decision where it is.
        """
        match node:
            case ast.Call(function=ast.Name(text="len")):
                return self.definition.module.definition("len") is None
        return False

    def _compares_data(self, node: ast.Binary) -> bool:
        return compares_data(node, self.decisions.data_of(self.definition), self.definition)

    def call(self, node: ast.Call) -> list[tuple[ast.Node, bool]] | None:
        """The parts of a call to visit; None if an argument reaches a decision."""
        affected = [item for item in node.arguments if _mentions(item, self.names)]
        if not affected:
            return [(node.function, False)]
        if not isinstance(node.function, ast.Name):
            return None
        name = node.function.text
        definition, before = self.definition.module.definition(name), 0
        if self.definition is self.decisions.outermost and name in self.decisions.layers:
            layer = self.decisions.layers[name]
            if isinstance(layer, OpLayer):
                return [(item, False) for item in affected]
            if not isinstance(layer, BlockLayer):
                return None
            definition = layer.definition
            before = sum(1 for item in layer.given if item.name is None)
        if definition is not None and self.decisions.alone and not definition.inline:
            return [(item, False) for item in affected]
        if definition is not None:
            follows = self._follows(definition, node, affected, before)
            return [(item, False) for item in affected] if follows else None
        if name in all_ops() or name in INITIALISER_NAMES or name in NUMERIC:
            return [(item, False) for item in affected]
        return [(item, True) for item in affected]

    def _follows(
        self, definition: Definition, node: ast.Call, affected: list[ast.Argument], position: int
    ) -> bool:
        """Whether no decision of a definition depends on its arguments, from a position on."""
        if isinstance(definition, PresetDefinition):
            return False
        names = [parameter.name or "_" for parameter in definition.parameters]
        for item in node.arguments:
            name = item.name
            if name is None:
                if position >= len(names) or isinstance(item.value, ast.Spread):
                    return False
                name = names[position]
                position += 1
            if item in affected and self.decisions.read(definition, [name]):
                return False
        return True


def _passive(node: ast.Node) -> tuple[object, ...]:
    """The parts of a construct whose values it passes on; the others are decisions."""
    if isinstance(node, PASSED_ON) or (
        isinstance(node, ast.Binary) and node.operator in ARITHMETIC
    ):
        return tuple(children(node))
    match node:
        case ast.Unary(operator="-", operand=inner) | ast.Labelled(inner=inner):
            return (inner,)
        case ast.Attribute(base=base) | ast.Index(base=base):
            return (base,)
        case ast.IfValue() | ast.IfLayer():
            return node.then, node.otherwise
        case ast.For(body=body) | ast.Comprehension(element=body):
            return body, *node.targets
        case _:
            fields = HANDED_ON.get(type(node), ())
            parts = [getattr(node, name) for name in fields]
            return tuple(
                one for part in parts for one in (part if isinstance(part, tuple) else (part,))
            )


def _mentions(node: ast.Node, names: Iterable[str]) -> bool:
    return any(isinstance(part, ast.Name) and part.text in names for part in walk(node))


def _yields(node: ast.Node, names: Iterable[str]) -> bool:
    """Whether the value of an expression may depend on the names, except through an op."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Name) and part.text in names:
            return True
        if isinstance(part, ast.Call) and isinstance(part.function, ast.Name):
            called = part.function.text
            if called in all_ops() and called not in FUNCTIONS:
                continue
        stack.extend(children(part))
    return False


def decisive_names(definition: Definition, arguments: Mapping[str, Value]) -> Mapping[str, Decides]:
    """The parameters and sizes of a block that change more than numbers: `Graph.decisive`.

    The result, which is the same for all numbers, is kept with the module of the definition.
    """
    layers = {name: value for name, value in arguments.items() if is_layer(value)}
    numbers = tuple(name for name, value in arguments.items() if isinstance(value, int | float))
    called = tuple((name, _called(value)) for name, value in layers.items())
    known, key = definition.module.decisive, (definition, tuple(arguments), numbers, called)
    if key not in known:
        known[key] = _decisive_names(definition, layers, numbers, arguments)
    return known[key]


def _called(layer: Value) -> Hashable:
    """What decisions depend on in a layer: the block that it calls."""
    if isinstance(layer, BlockLayer):
        return layer.definition, sum(1 for item in layer.given if item.name is None)
    return isinstance(layer, OpLayer)


def _decisive_names(
    definition: Definition,
    layers: Mapping[str, Value],
    numbers: Iterable[str],
    arguments: Iterable[str],
) -> Mapping[str, Decides]:
    every = Decisions(definition, layers, alone=True)
    others = Decisions(definition, layers, counts=False, alone=True)
    unknown = Decisions(definition, layers, counts=False, alone=True, conditions=False)
    sizes = _sizes_of(definition).difference(arguments)
    return {
        name: "other"
        if unknown.read(definition, [name])
        else "condition"
        if others.read(definition, [name])
        else "count"
        for name in (*numbers, *sorted(sizes))
        if every.read(definition, [name])
    }


# ---------------------------------------------------------------------- sizes of data


def reachable(start: Iterable[Definition]) -> list[Definition]:
    """The definitions that these mention, directly or through others, including themselves."""
    found: dict[Definition, None] = {}
    stack = list(start)
    while stack:
        definition = stack.pop()
        if definition in found:
            continue
        found[definition] = None
        for tree in _trees(definition):
            for node in walk(tree):
                other = definition.module.definition(node.text) if _is_name(node) else None
                if other is not None:
                    stack.append(other)
    return list(found)


def _sizes_of(definition: Definition) -> set[str]:
    """The names in the shapes of a definition."""
    return {
        dim.value.text
        for tree in _trees(definition)
        for node in walk(tree)
        if isinstance(node, ast.TypeExpr)
        for dim in node.dims
        if isinstance(dim.value, ast.Name)
    }


def _is_name(node: object) -> bool:
    return isinstance(node, ast.Name)


def _trees(definition: Definition) -> tuple[ast.Node, ...]:
    if isinstance(definition, RuleDefinition):
        return definition.clauses
    return (definition.node,)


def sizes_decide(start: Iterable[Definition], decisions: Decisions) -> bool:
    """Whether a decision in any of these definitions, or those they mention, reads a size of data.

    Sizes are read by the names that shapes bind, and arrive as arguments of the type `dim`.
    """
    for definition in reachable(start):
        names = _sizes_of(definition)
        own = {item.name: item.type for item in definition.parameters if item.name}
        names -= {name for name, kind in own.items() if kind is None or kind.name != "dim"}
        names |= {name for name, kind in own.items() if kind is not None and kind.name == "dim"}
        if not names or isinstance(definition, PresetDefinition):
            continue
        if isinstance(definition, RuleDefinition) or decisions.read(definition, names):
            return True
    return False
