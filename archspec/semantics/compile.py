"""Compilation of files to networks: the entry point of the semantics."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, Fix, Sink, diagnostic
from archspec.diagnostics.suggest import did_you_mean
from archspec.frozen import frozen
from archspec.graph.compiled import Compiled, NetworkParameter
from archspec.graph.model import Graph
from archspec.semantics.arguments.binding import bind_arguments, body_environment
from archspec.semantics.arguments.rules import resolve_preset
from archspec.semantics.building.graph_builder import GraphBuilder
from archspec.semantics.building.names import Reserved, nothing_reserved
from archspec.semantics.call_stack import deeply
from archspec.semantics.checks.doubtful_uses import check_doubtful_uses
from archspec.semantics.checks.image_axes import check_image_axes
from archspec.semantics.checks.init_rules import check_init_rules
from archspec.semantics.checks.modes import check_modes
from archspec.semantics.checks.names import resolve_names
from archspec.semantics.checks.no_effect import check_inputs, check_silent
from archspec.semantics.checks.sizes import check_sizes
from archspec.semantics.checks.ties import check_ties
from archspec.semantics.checks.unused_weights import check_usage
from archspec.semantics.checks.written_calls import check_written
from archspec.semantics.endless import ended, has_syntax_error
from archspec.semantics.expansion.blocks import finish
from archspec.semantics.expansion.bodies import active_inputs, run_body
from archspec.semantics.expansion.network_inputs import Inputs, network_inputs
from archspec.semantics.induction.check import check_signatures
from archspec.semantics.members import Members
from archspec.semantics.network_parameters import described, settings
from archspec.semantics.offered_fixes import tried
from archspec.semantics.program.definitions import BlockDefinition, ModuleScope, networks
from archspec.semantics.program.modules import Program
from archspec.semantics.values.budget import Budget, Limits, OutOfBudget
from archspec.semantics.values.context import Context, Reported, Session, SpecError
from archspec.semantics.values.keys import Keys
from archspec.semantics.values.model import BlockLayer, Environment, Poison, Value
from archspec.semantics.values.provenance import numbers_in
from archspec.source import Source, Span
from archspec.types.condition import TRUE


@dataclass
class Compilation:
    """Files, their diagnostics, and the memo and budget shared by all networks of a run."""

    limits: Limits = field(default_factory=Limits)
    sink: Sink = field(default_factory=Sink)
    memo: dict[Hashable, Graph | None] = field(default_factory=dict)
    op_results: dict[Hashable, object] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    axes_meant: dict[Span, Fix | None] = field(default_factory=dict)
    """For ops that do not fit all sizes, how they are written along another axis."""

    reserved: Reserved = nothing_reserved
    """Names that an instance without a label cannot have."""

    instead: Source | None = None
    """A text that replaces the requested file."""

    scope: ModuleScope | None = None
    """The requested module, once it is loaded."""

    def __post_init__(self) -> None:
        self.program = Program(self.sink)
        self.budget = Budget(self.limits)

    def load(self, path: Path | Source) -> ModuleScope:
        """The module of a file or text, with its names resolved; errors are reported to `sink`."""
        if isinstance(path, Source):
            scope = self.program.load_source(self.instead or path)
        elif self.instead is not None:
            scope = self.program.load_source(self.instead, path.resolve())
        else:
            scope = self.program.load_file(path)
        self.scope = scope
        for module in (scope, *self.program.siblings(scope)):
            resolve_names(module, self.sink)
        if not self.sink.failed:
            check_silent(scope, self.sink)
        run = self.budget.meter.run
        deeply(lambda: run(lambda: check_signatures(scope, self.sink, self.budget)))
        return scope

    def session(self, training: bool) -> Session:
        """The session for one mode."""
        session = Session(self.sink, self.budget, training, self.memo)
        session.op_results, session.keys = self.op_results, self.keys
        session.reserved, session.axes_meant = self.reserved, self.axes_meant
        return session

    def check_unused(self, scope: ModuleScope) -> None:
        """Report errors in calls that no network expanded."""
        session = self.session(False)
        for module in (scope, *self.program.siblings(scope)):
            check_written(Context(session, Environment(module), ()), module)

    def network(
        self, scope: ModuleScope, name: str, parameters: Mapping[str, object] | None = None
    ) -> Compiled | None:
        """A network or preset with parameters set; None if it has errors, which are in `sink`.

        Raises OutOfBudget if it is too large to expand.
        """
        run = self.budget.meter.run
        return deeply(lambda: run(lambda: _compile(self, scope, name, parameters or {})))


def load_network(
    path: Path | Source,
    name: str | None = None,
    parameters: Mapping[str, object] | None = None,
    limits: Limits | None = None,
    reserved: Reserved = nothing_reserved,
) -> tuple[Compiled, Sink]:
    """Compile one network of a file. The default is the only one, or the one named like the file.

    Raises CompileFailed with all diagnostics if the spec has errors, OSError if the file can't be
    read. Warnings are in the returned sink.
    """
    compilation = Compilation(limits or Limits(), reserved=reserved)
    run = partial(_load_one, path=path, name=name, parameters=parameters)
    compiled = run(compilation)
    if compiled is None or compilation.sink.failed:
        _try_fixes(compilation, run)
        raise CompileFailed(compilation.sink.diagnostics)
    return compiled, compilation.sink


def _load_one(
    compilation: Compilation,
    path: Path | Source,
    name: str | None,
    parameters: Mapping[str, object] | None,
) -> Compiled | None:
    compiled: Compiled | None = None
    try:
        scope = compilation.load(path)
        chosen = choose(scope, name, compilation.sink)
        if chosen is not None:
            compiled = compilation.network(scope, chosen, parameters)
        compilation.check_unused(scope)
        check_inputs(scope, compilation.sink)
        check_image_axes(scope, compilation.sink)
    except OutOfBudget as error:
        _report_end(compilation, error)
    return compiled


def check(
    path: Path | Source,
    name: str | None = None,
    limits: Limits | None = None,
    reserved: Reserved = nothing_reserved,
    inspect: Callable[[Compiled], Iterable[Diagnostic]] = lambda _: (),
) -> Sink:
    """Report all errors of a file: in its syntax, names, and each of its networks.

    If a name is given, its absence is reported too. `inspect` may add diagnostics for a network.
    """
    compilation = Compilation(limits or Limits(), reserved=reserved)
    run = partial(_check_all, path=path, name=name, inspect=inspect)
    run(compilation)
    _try_fixes(compilation, run)
    return compilation.sink


def _check_all(
    compilation: Compilation,
    path: Path | Source,
    name: str | None,
    inspect: Callable[[Compiled], Iterable[Diagnostic]],
) -> None:
    try:
        scope = compilation.load(path)
        if name is not None:
            choose(scope, name, compilation.sink)
        for name in networks(scope):
            compiled = compilation.network(scope, name)
            if compiled is not None and not compilation.sink.failed:
                compilation.sink.extend(inspect(compiled))
        compilation.check_unused(scope)
        check_inputs(scope, compilation.sink)
        check_image_axes(scope, compilation.sink)
    except OutOfBudget as error:  # the budget is exhausted for everything after it
        _report_end(compilation, error)


def _report_end(compilation: Compilation, error: OutOfBudget) -> None:
    """Report that the budget is exhausted, with a fix that ends a recursion."""
    scope, found = compilation.scope, error.diagnostics
    if scope is not None:
        found = tuple(ended(item, scope) for item in found if not has_syntax_error(item, scope))
    compilation.sink.extend(found)


def _try_fixes(compilation: Compilation, run: Callable[[Compilation], object]) -> None:
    """Withdraw edits that do not help. Trying them takes no more steps than one compilation.

    `run` is the work that found the errors; it is repeated for each edit that is tried.
    """
    sink = compilation.sink
    found = sink.diagnostics
    scope = compilation.scope
    if scope is None or all(item.fix is None or not item.fix.edits for item in found):
        return
    limits = compilation.limits
    left = limits.steps

    def check_text(text: Source) -> Iterable[Diagnostic]:
        nonlocal left
        again = Compilation(
            replace(limits, steps=max(left, 0)), reserved=compilation.reserved, instead=text
        )
        run(again)
        left -= again.budget.limits.steps - again.budget.left
        return again.sink.diagnostics

    sink.replace(tried(found, scope, check_text))


def choose(scope: ModuleScope, name: str | None, sink: Sink) -> str | None:
    """The network that is meant; reports if there is none or the choice is ambiguous."""
    found = networks(scope)
    span = Span(scope.tree.source, 0, 0)
    if name is not None:
        if name in found:
            return name
        if scope.is_damaged or name in scope.missed:
            return None  # it may be defined where the file has syntax errors
        message = f"`{scope.name}` has no network or preset `{name}`"
        listed = ", ".join(f"`{item}`" for item in found)
        notes = (f"it has {listed}",) if found else ()
        fix = did_you_mean(name, found)
        sink.report(diagnostic("E0701", message, span, notes=notes, fix=fix))
        return None
    if scope.name in found:
        return scope.name
    blocks = [item for item in found if isinstance(found[item], BlockDefinition)]
    if len(blocks) == 1:
        return blocks[0]
    if len(found) == 1:
        return next(iter(found))
    if not found and sink.failed:
        return None
    listed = ", ".join(f"`{item}`" for item in found)
    message = "there are several networks: name one" if found else "this file has no network"
    notes = (f"it has {listed}; write `{scope.tree.source.name}:NAME`",) if found else ()
    sink.report(diagnostic("E0701", message, span, notes=notes))
    return None


# ---------------------------------------------------------------------- one network


def _compile(
    compilation: Compilation,
    scope: ModuleScope,
    name: str,
    parameters: Mapping[str, object],
) -> Compiled | None:
    made = _made(compilation, scope, name, parameters)
    if made is None:
        return None
    compiled = replace(made.compiled, family=made.family)
    check_modes(compiled, compilation.sink)
    check_sizes(compiled, made.inputs, compilation.sink, compilation.budget, compilation.axes_meant)
    check_init_rules(compiled, compilation.sink)
    check_ties(compiled, compilation.sink)
    if not compilation.sink.failed:
        check_usage(compiled, compilation.sink)
        check_doubtful_uses(compiled, compilation.sink)
    return compiled


@frozen
class _Made:
    """A network that has not been checked as a whole."""

    compiled: Compiled
    inputs: Inputs
    family: Members


def _made(
    compilation: Compilation,
    scope: ModuleScope,
    name: str,
    parameters: Mapping[str, object],
) -> _Made | None:
    modes: list[_Mode] = []
    for training in (False, True):
        session = compilation.session(training)
        context = Context(session, Environment(scope), ())
        session.mode_readers.append(False)
        try:
            mode = _one_mode(context, scope, name, parameters)
        except SpecError as error:
            session.report(error)
            return None
        if mode.graph is None:
            return None
        modes.append(mode)
        if not session.mode_readers[-1]:
            break
    first, last = modes[0], modes[-1]
    assert first.graph is not None
    assert last.graph is not None
    inputs = last.inputs
    doc = _doc(scope, name) or inputs.definition.node.doc
    sizes = {**first.inputs.sizes, **inputs.sizes}
    compiled = Compiled(name, first.graph, last.graph, sizes, inputs.given, doc, last.declared)

    def again(others: Mapping[str, object]) -> Compiled | None:
        apart = Compilation(
            compilation.limits,
            memo=compilation.memo,
            op_results=compilation.op_results,
            keys=compilation.keys,
            reserved=compilation.reserved,
        )
        try:
            run = apart.budget.meter.run
            other = deeply(lambda: run(lambda: _made(apart, scope, name, others)))
        except OutOfBudget:
            return None
        return None if other is None or apart.sink.failed else other.compiled

    definition = scope.own[name]
    family = Members(definition, inputs.definition, last.values, last.given, parameters, again)
    return _Made(compiled, inputs, family)


def _doc(scope: ModuleScope, name: str) -> str:
    node = getattr(scope.own.get(name), "node", None)
    return str(node.doc) if node is not None else ""


@frozen
class _Mode:
    """A network in one mode, with the values of its parameters and the names of those given."""

    graph: Graph | None
    inputs: Inputs
    declared: tuple[NetworkParameter, ...]
    values: Mapping[str, Value]
    given: frozenset[str]


def _one_mode(
    context: Context, scope: ModuleScope, name: str, parameters: Mapping[str, object]
) -> _Mode:
    if scope.own[name].damaged:
        raise Reported()
    base = BlockLayer(scope.own[name], (), scope.own[name].name_span)
    layer = resolve_preset(context, base, base.definition.name_span)
    if isinstance(layer, Poison):
        raise Reported()
    if not isinstance(layer, BlockLayer) or not isinstance(layer.definition, BlockDefinition):
        raise context.error("E0703", f"`{name}` is not a network", scope.own[name].name_span)
    definition = layer.definition
    span = layer.span or definition.name_span
    given = settings(context, scope, definition, layer.given, parameters)
    preset, layer = layer.given, BlockLayer(definition, given, span)
    arguments = bind_arguments(context, layer, span)
    environment = body_environment(definition, arguments)
    builder = GraphBuilder(definition.name, "network", owner=definition)
    context.session.given = TRUE
    inside = context.within(environment).entering(builder)
    body = definition.node.body
    inputs = network_inputs(inside, definition, active_inputs(inside, body))
    context.session.given = context.session.network_given = inputs.given
    if inputs.where_span is not None:
        context.session.promises = ((inputs.given, inputs.where_span),)
    results = run_body(inside, body, (), span, inputs_bound=True)
    builder.names = numbers_in(environment)
    graph = finish(inside, results, definition, arguments, inputs.structures)
    declared = described(definition, preset, parameters, arguments)
    return _Mode(graph, inputs, declared, arguments, frozenset(item.name or "" for item in given))
