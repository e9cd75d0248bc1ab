"""Check of names before anything is expanded, so that unused code is covered too.

The walk knows the names visible in each scope: parameters, bindings, dims of shapes, definitions,
ops, functions and words. It reports any other name, with the name that was probably meant.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache, cached_property, partial

from archspec.diagnostics.model import Diagnostic, Edit, Fix, Sink, diagnostic
from archspec.diagnostics.suggest import renamed, suggestion
from archspec.ops.registry import all_ops
from archspec.semantics.checks.body_statements import BodyStatements
from archspec.semantics.checks.foreign_calls import ForeignCalls
from archspec.semantics.checks.none_values import default_of_none, layer_of_none, new_axis
from archspec.semantics.checks.undeclared import (
    WEIGHTS,
    comment_behind,
    data_given,
    declared,
    equals_behind,
    has_input,
    is_within,
    kind_word,
    layer_again,
    name_of_result,
    named_results,
)
from archspec.semantics.program.bound_names import bound_in, targets_of
from archspec.semantics.program.definitions import (
    BlockDefinition,
    ModuleScope,
    PresetDefinition,
    RuleDefinition,
)
from archspec.semantics.program.foreign_names import meant_by, word_of_elsewhere
from archspec.semantics.program.library_names import missing_use
from archspec.semantics.program.lines_with_errors import words
from archspec.semantics.program.written_calls import WrittenCall
from archspec.semantics.values.bare_words import INITIALISER_NAMES, choices, is_word
from archspec.semantics.values.functions import FUNCTIONS
from archspec.source import Span
from archspec.syntax import ast
from archspec.types.initialiser import INITIALISERS

ALWAYS = frozenset({"true", "false", "training", "_", "...", "tap", "frozen"})

_IMAGE = "`input x: [B, C, H, W]`"
_TYPES = {"D": "`input x: [B, N, D]`", "N": "`input x: [B, N, D]`", "T": "`input x: [B, T, D]`"}
"""Types of inputs with the sizes that have conventional names."""

COMPARED = 30_000
"""Number of comparisons of unknown names with names of a file, in search of suggestions."""


def resolve_names(scope: ModuleScope, sink: Sink) -> None:
    """Report every unknown name of a file."""
    walker = _walker(scope, sink)
    _visit_all(scope, walker)
    statements = walker.statements
    scope.missed |= statements.lost
    scope.rebound = frozenset(statements.rebound)
    scope.calls = tuple(call for call in walker.calls if not statements.is_changing(call.node.span))


def resolve_expression(scope: ModuleScope, expression: ast.Expr, sink: Sink) -> None:
    """Report every unknown name of an expression that is not part of the file."""
    _walker(scope, sink).visit(expression, frozenset())


def _walker(scope: ModuleScope, sink: Sink) -> _Walker:
    known = {*scope.names, *scope.missed, *all_ops(), *FUNCTIONS, *INITIALISER_NAMES, *ALWAYS}
    return _Walker(scope, known, sink)


def _visit_all(scope: ModuleScope, walker: _Walker) -> None:
    for definition in scope.own.values():
        if isinstance(definition, PresetDefinition):
            walker.visit(definition.node.value, frozenset())
        elif isinstance(definition, BlockDefinition):
            names = walker.parameters(
                definition.node.parameters, _possibly_declared(definition.node)
            )
            inner = names | bound_in(definition.node.body)
            for statement in definition.node.body.statements:
                if isinstance(statement, ast.ExprStmt):
                    walker.stage(statement.value, inner)
            walker.visit(definition.node.body, names)
        elif isinstance(definition, RuleDefinition):
            for clause in definition.clauses:
                names = walker.parameters(clause.parameters, _possibly_declared(clause))
                if clause.guard is not None:
                    walker.visit(clause.guard, names)
                walker.visit(clause.value, names)


def _possibly_declared(node: ast.BlockDef | ast.RuleClause) -> frozenset[str]:
    """Names that a head with syntax errors may have declared."""
    if not node.damaged:
        return frozenset()
    end = node.body.span.start if isinstance(node, ast.BlockDef) else node.value.span.start
    return words(Span(node.span.source, node.span.start, max(end, node.span.start)).text)


class _Walker:
    def __init__(self, scope: ModuleScope, known: set[str], sink: Sink) -> None:
        self.scope, self.tree, self.known = scope, scope.tree, known
        self.foreign = ForeignCalls(scope.tree, sink.report)
        self.sink = sink
        self.is_damaged = scope.is_damaged
        self.suggestions: dict[str, str | None] = {}
        self.results: dict[int, dict[str, ast.Output | ast.Labelled]] = {}
        self.compared = 0
        self.statements = BodyStatements(sink)
        self.calls: list[WrittenCall] = []
        self.stages: set[int] = set()
        """The ids of calls that are stages of chains."""
        self.heads: set[int] = set()
        """The ids of the first stages of chains."""
        self.data: set[int] = set()
        """The ids of first stages, and of the parts of those that are tuples."""
        self.applied: set[int] = set()
        """The ids of layers applied to data by `->`."""
        self.weights: set[int] = set()
        """The ids of names in `name.weight`."""

    def parameters(
        self, parameters: tuple[ast.Parameter, ...], names: frozenset[str]
    ) -> frozenset[str]:
        for parameter in parameters:
            for part in (parameter.domain, parameter.default):
                if part is not None and not self.is_none(default_of_none(part, parameter)):
                    self.visit(part, names)
            if parameter.name is not None:
                names |= {parameter.name}
        return names

    def is_none(self, found: Diagnostic | None) -> bool:
        """Report what is found about `None`, unless it is a name here; return whether it was."""
        if found is None or "None" in self.known:
            return False
        self.sink.report(found)
        return True

    def visit(self, node: object, names: frozenset[str]) -> None:
        stack: list[tuple[object, frozenset[str]]] = [(node, names)]
        while stack:
            item, seen = stack.pop()
            if isinstance(item, ast.Name):
                self.name(item, seen)
            elif isinstance(item, ast.Index) and self.is_none(new_axis(item)):
                stack.append((item.base, seen))
            elif isinstance(item, tuple):
                stack.extend((part, seen) for part in reversed(item))
            elif isinstance(item, ast.Node):
                stack.extend(reversed(self.parts(item, seen)))

    def parts(self, item: ast.Node, seen: frozenset[str]) -> list[tuple[object, frozenset[str]]]:
        """The parts of a node to visit, each with the names visible to it."""
        if isinstance(item, ast.Body):
            inner = seen | bound_in(item)
            return [(part, inner) for part in self.statements.sound(item)]
        if isinstance(item, ast.For):
            return [(item.iterable, seen), (item.body, seen | targets_of(item.targets))]
        if isinstance(item, ast.Comprehension):
            inner = seen | targets_of(item.targets)
            return [(item.iterable, seen), (item.element, inner), (item.condition, inner)]
        if isinstance(item, ast.DrawDecl):
            return []
        if isinstance(item, ast.Attribute) and self.is_foreign(item, seen):
            return []
        if isinstance(item, ast.Chain):
            first = item.stages[0]
            self.heads.add(id(first))
            self.data.update(map(id, first.items if isinstance(first, ast.TupleExpr) else [first]))
            for stage in item.stages:
                self.stage(stage, seen)
            self.applied.update(id(_bare(stage)) for stage in item.stages[1:])
        if isinstance(item, ast.Call):
            return self.parts_of_call(item, seen)
        return [(part, seen) for part in item.parts]

    def parts_of_call(
        self, item: ast.Call, seen: frozenset[str]
    ) -> list[tuple[object, frozenset[str]]]:
        """The parts of a call to visit, after the check for a call of another library."""
        arguments = [one for one in item.arguments if not self.may_be_word(item, one, seen)]
        known = partial(self.is_known_name, seen=seen)
        applied = id(item) in self.applied
        if not self.is_damaged and self.foreign.call(item, known, applied):
            return [(part, seen) for part in arguments]
        self.call(item, seen)
        if not known("None"):
            arguments = [one for one in arguments if not self.foreign.none(one)]
        return [(item.function, seen), *((part, seen) for part in arguments)]

    def is_foreign(self, node: ast.Attribute, seen: frozenset[str]) -> bool:
        """Report `nn.relu` if `nn` is unknown, with a suggestion for `relu`."""
        base = node.base
        if node.name in ("weight", "bias"):
            self.weights.add(id(base))
        if self.is_damaged:
            return False
        if self.foreign.name(node, partial(self.is_known_name, seen=seen)):
            return True
        if not isinstance(base, ast.Name) or self.is_known_name(base.text, seen):
            return False
        if node.name in ("weight", "bias"):
            return False
        found = meant_by(node.name, self.known | seen) if self.may_compare() else None
        if found is None:
            words = word_of_elsewhere(node.name)
            if words is not None:
                message = f"`{base.text}.{node.name}` is not defined here"
                self.sink.report(diagnostic("E0210", message, node.span, fix=words))
            return words is not None
        message = f"`{base.text}` is not defined here"
        fix = Fix(f"did you mean `{found}`, without `{base.text}.`?", (Edit(node.span, found),))
        self.sink.report(diagnostic("E0210", message, base.span, fix=fix))
        return True

    def stage(self, node: ast.Expr, seen: frozenset[str]) -> None:
        """Record a stage of a chain, which gets no more attributes."""
        while isinstance(node, ast.Labelled | ast.Group):
            node = node.inner
        self.stages.add(id(node))
        if isinstance(node, ast.Name) and node.text not in seen:
            self.calls.append(WrittenCall(node, True))

    def call(self, node: ast.Call, seen: frozenset[str]) -> None:
        """Record a call of a name that no local name hides."""
        base: ast.Expr = node
        while isinstance(base, ast.Call):
            base = base.function
        if isinstance(base, ast.Name) and base.text not in seen:
            self.calls.append(WrittenCall(node, id(node) in self.stages))

    def is_known_name(self, text: str, seen: frozenset[str]) -> bool:
        return text in seen or text in self.known or text in self.statements.lost or is_word(text)

    def may_be_word(self, call: ast.Call, argument: ast.Argument, seen: frozenset[str]) -> bool:
        """Whether an argument is an unknown name for an attribute that accepts words.

        Whether the attribute accepts this word is checked when it is bound.
        """
        value, name = argument.value, argument.name
        if name is None or not isinstance(value, ast.Name):
            return False
        if value.text == "None" or self.is_known_name(value.text, seen):
            return False  # checked first: the attributes of all ops require importing them all
        function = call.function
        if not isinstance(function, ast.Name) or function.text in seen:
            return name in _word_attributes()  # a layer held by a variable
        model = all_ops().get(function.text) or INITIALISERS.get(function.text)
        return model is not None and bool(choices(model, name))

    def name(self, node: ast.Name, seen: frozenset[str]) -> None:
        text = node.text
        if self.is_known_name(text, seen) or id(node) in self.foreign.covered:
            return
        if not self.is_damaged and self.foreign.name(node, partial(self.is_known_name, seen=seen)):
            return
        fix = self.suggestion(node, seen)
        if self.is_damaged and fix is None:
            return  # it may come from a `use` that failed
        message = f"`{text}` is not defined here"
        self.sink.report(diagnostic("E0210", message, node.span, fix=fix))

    def suggestion(self, node: ast.Name, seen: frozenset[str]) -> Fix | None:
        """The name that was probably meant; limited to a few searches, which are slow."""
        text = node.text
        if found := comment_behind(node.span) or equals_behind(node.span):
            return found
        if text == "None" and id(node) in self.applied:
            return layer_of_none(node.span)
        word = word_of_elsewhere(text)
        if word is not None:
            return Fix(word)
        use = None if self.is_damaged else missing_use(self.tree, text)
        if use is not None:
            ops = [f"`{name}`" for name in all_ops() if name.endswith(f"_{text}")]
            also = f"; ops of similar names are {' and '.join(ops)}" if ops else ""
            return Fix(use.message + also, use.edits)
        if (other := self.of_elsewhere(node)) is not None:
            return other
        if re.fullmatch(r"[BCDHLNTW]", text):
            return Fix(f"a size gets its name in the type of an input: {_TYPES.get(text, _IMAGE)}")
        if text not in self.suggestions and self.may_compare():
            at = self.around(node)
            names = self.networks if isinstance(at, ast.Preset) else self.known | seen
            search = suggestion if isinstance(at, ast.Preset) else meant_by
            self.suggestions[text] = search(text, names)
        if (meant := self.suggestions.get(text)) is not None:
            return renamed(node.span, meant)
        return self.given(node)

    def given(self, node: ast.Name) -> Fix | None:
        """A fix for data that a network should declare as an input."""
        at = self.around(node)
        if not isinstance(at, ast.BlockDef) or not at.is_network or id(node) not in self.data:
            return None
        return data_given(node, at, self.scope.definition) if self.may_compare() else None

    def around(self, node: ast.Name) -> ast.Definition | None:
        """The definition in which a name is read."""
        at = bisect_right(self.starts, node.span.start) - 1
        around = self.tree.definitions[at] if at >= 0 else None
        return around if around is not None and is_within(node.span, around.span) else None

    @cached_property
    def networks(self) -> list[str]:
        """The networks and presets of the file."""
        kinds = (ast.BlockDef, ast.Preset)
        found = [one for one in self.tree.definitions if isinstance(one, kinds)]
        return [one.name for one in found if isinstance(one, ast.Preset) or one.is_network]

    def of_elsewhere(self, node: ast.Name) -> Fix | None:
        """A fix for a name of another body, or one that an `input` should declare."""
        at = bisect_right(self.starts, node.span.start) - 1
        around = self.tree.definitions[at] if at >= 0 else None
        if around is None or not is_within(node.span, around.span):
            return None
        if isinstance(around, ast.Preset | ast.Signature):
            return None
        if isinstance(around, ast.BlockDef) and (found := self.of_result(at, around, node)):
            return found
        if any(item is not around for item in self.binders.get(node.text, ())):
            return Fix(
                f"a {kind_word(around)} sees only its own parameters and inputs: "
                f"declare `{node.text}` in `{around.name}`, too"
            )
        if isinstance(around, ast.BlockDef) and id(node) in self.heads and not has_input(around):
            return declared(around, node.text)
        return None

    def of_result(self, at: int, around: ast.BlockDef, node: ast.Name) -> Fix | None:
        """A fix for the name of an output or of a label in the block with this number."""
        if at not in self.results:
            self.results[at] = named_results(around)
        item, name = self.results[at].get(node.text), node.text
        if isinstance(item, ast.Labelled) and id(node) in self.weights:
            return Fix(WEIGHTS)
        if isinstance(item, ast.Labelled) and id(node) in self.applied:
            return layer_again(item, name, around)
        return name_of_result(item, name) if item is not None else None

    @cached_property
    def starts(self) -> list[int]:
        """Where the definitions of the file start, in order."""
        return [item.span.start for item in self.tree.definitions]

    @cached_property
    def binders(self) -> dict[str, list[ast.BlockDef]]:
        """For each name the blocks that bind it, the first two at most."""
        found: dict[str, list[ast.BlockDef]] = {}
        for item in self.tree.definitions:
            if isinstance(item, ast.BlockDef):
                own = {one.name for one in item.parameters if one.name is not None}
                for name in own | bound_in(item.body):
                    blocks = found.setdefault(name, [])
                    if len(blocks) < 2:
                        blocks.append(item)
        return found

    def may_compare(self) -> bool:
        """Whether names may still be compared; counts one comparison with all names."""
        if self.compared >= COMPARED:
            return False
        self.compared += len(self.known)
        return True


def _bare(node: ast.Expr) -> ast.Expr:
    """The expression without labels and parentheses."""
    while isinstance(node, ast.Labelled | ast.Group):
        node = node.inner
    return node


@cache
def _word_attributes() -> frozenset[str]:
    """Names of attributes that accept words."""
    models = all_ops().values()
    return frozenset(
        name for model in models for name in model.model_fields if choices(model, name)
    )
