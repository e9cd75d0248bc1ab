"""Layers written as text, applied to data of any types: for passes that add layers to graphs.

The text is whatever a spec can bind to a name: an op, a block of the standard library by its full
name, `std.cnn.squeeze_excite(16)`, or layers in chains and lists. It has the same limits as specs.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Sink, diagnostic
from archspec.graph.model import Graph, GraphOutput, Origin
from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.call_stack import deeply
from archspec.semantics.compile import Compilation
from archspec.semantics.program.definitions import ModuleScope, PresetDefinition
from archspec.semantics.values.budget import OutOfBudget
from archspec.semantics.values.context import Context, Reported, SpecError
from archspec.semantics.values.data import ports_of, structure_of
from archspec.semantics.values.display import kind_of
from archspec.semantics.values.evaluation import apply_layer, evaluate
from archspec.semantics.values.model import Environment, has_poison, is_data, is_layer
from archspec.source import Source, Span
from archspec.syntax import ast
from archspec.types.condition import TRUE, Condition
from archspec.types.tensor import TensorType

_Question: TypeAlias = tuple[tuple[TensorType, ...], bool, bool]
"""Types, whether in training, and whether frozen."""

_LIBRARY = re.compile(r"\bstd\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)")


class WrittenLayer:
    """The layer of a text. `given` is a condition on the sizes of its inputs.

    Raises CompileFailed if the text is not a layer.
    """

    def __init__(self, text: str, given: Condition = TRUE) -> None:
        self._compilation, self._given = Compilation(), given
        self._made: dict[_Question, Graph | CompileFailed] = {}
        used = dict.fromkeys(_LIBRARY.findall(text))
        uses = "".join(f"use std.{module} {{ {name} }}\n" for module, name in used)
        written = f"{uses}preset layer =\n{_LIBRARY.sub(lambda one: one[2], text)}\n"
        self._scope, self._layer = _read(self._compilation, Source("<layer>", written))

    def graph(
        self, types: tuple[TensorType, ...], *, training: bool, frozen: bool = False
    ) -> Graph:
        """The graph of the layer on data of these types, one input for each.

        Raises CompileFailed if it does not accept them.
        """
        question = types, training, frozen
        if question not in self._made:
            run = self._compilation.budget.meter.run
            self._made[question] = deeply(lambda: run(lambda: self._answer(question)))
        found = self._made[question]
        if isinstance(found, CompileFailed):
            raise found
        return found

    def _answer(self, question: _Question) -> Graph | CompileFailed:
        _, training, frozen = question
        sink = self._compilation.sink = Sink()
        session = self._compilation.session(training)
        session = session.for_frozen() if frozen else session
        session.given = session.network_given = self._given
        session.mode_readers.append(False)
        try:
            return self._graph(Context(session, Environment(self._scope), ()), question)
        except SpecError as error:
            session.report(error)
        except OutOfBudget as error:
            sink.extend(error.diagnostics)
        self._compilation.memo.clear()  # the memo would suppress errors already reported
        return CompileFailed(sink.diagnostics)

    def _graph(self, outside: Context, question: _Question) -> Graph:
        types, _, frozen = question
        value, span = evaluate(outside, self._layer), self._layer.span
        if not is_layer(value) and not has_poison(value):
            raise outside.error("E0305", f"this is not a layer, but {kind_of(value)}", span)
        builder = GraphBuilder("layer", "block", frozen=frozen)
        context = outside.entering(builder)
        data = tuple(
            builder.add_input(f"input_{index}", type_, span) for index, type_ in enumerate(types)
        )
        result = apply_layer(context, value, data[0] if len(data) == 1 else data, span)
        if has_poison(result) or outside.session.sink.failed:
            raise Reported()
        if not is_data(result):
            raise outside.error("E0308", "this layer has no output", span)
        output = GraphOutput("output", ports_of(result), structure_of(result))
        return builder.finish((output,), {}, (None,) * len(data), Origin(span))


def _read(compilation: Compilation, source: Source) -> tuple[ModuleScope, ast.Expr]:
    """The layer in a text, and the scope of its names."""
    try:
        scope = compilation.load(source)
    except OutOfBudget as error:
        raise CompileFailed(error.diagnostics) from None
    if compilation.sink.failed:
        raise CompileFailed(compilation.sink.diagnostics)
    match [*scope.own.values()]:
        case [PresetDefinition(name="layer", node=node)]:
            return scope, node.value
    span = Span(source, 0, len(source.text))
    raise CompileFailed([diagnostic("E0305", "this is not one layer, but several", span)])
