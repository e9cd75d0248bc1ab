"""Definitions of a file (blocks, networks, rules and presets), and the names visible in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from archspec.graph.expression import Decides
from archspec.semantics.program.written_calls import WrittenCall
from archspec.source import Span
from archspec.syntax import ast


@dataclass(eq=False)
class BlockDefinition:
    """A block or network."""

    name: str
    module: ModuleScope
    node: ast.BlockDef

    @property
    def parameters(self) -> tuple[ast.Parameter, ...]:
        """Its parameters."""
        return self.node.parameters

    @property
    def damaged(self) -> bool:
        """Whether its head could not be parsed, which was reported."""
        return self.node.damaged

    @property
    def inline(self) -> bool:
        """Whether it opens no scope."""
        return self.node.inline

    @property
    def name_span(self) -> Span:
        """The location of its name."""
        return self.node.name_span

    @cached_property
    def is_source(self) -> bool:
        """Whether it takes no data: it has outputs but no inputs."""
        kinds = [type(statement) for statement in self.node.body.statements]
        return ast.Output in kinds and ast.Input not in kinds


@dataclass(eq=False)
class RuleDefinition:
    """All clauses of a rule, with its signature."""

    name: str
    module: ModuleScope
    clauses: tuple[ast.RuleClause, ...]
    signature: ast.Signature | None = None

    @cached_property
    def parameters(self) -> tuple[ast.Parameter, ...]:
        """One parameter for each position.

        Its name is from the first clause that names it, its type from the signature or else from
        the first clause with a type.
        """
        count = max(len(clause.parameters) for clause in self.clauses)
        return tuple(self._parameter(index) for index in range(count))

    def _parameter(self, index: int) -> ast.Parameter:
        heads: list[ast.Signature | ast.RuleClause] = [*self.clauses]
        if self.signature is not None:
            heads.insert(0, self.signature)
        entries = [head.parameters[index] for head in heads if index < len(head.parameters)]
        named = next((entry for entry in entries if entry.name is not None), entries[0])
        return ast.Parameter(
            named.span,
            named.name or f"_{index}",
            None,
            next((entry.type for entry in entries if entry.type is not None), None),
            next((entry.domain for entry in entries if entry.domain is not None), None),
            next((entry.default for entry in entries if entry.default is not None), None),
        )

    @property
    def damaged(self) -> bool:
        """Whether a head could not be parsed, which was reported."""
        signed = self.signature is not None and self.signature.damaged
        return signed or any(clause.damaged for clause in self.clauses)

    @property
    def inline(self) -> bool:
        """Whether it opens no scope."""
        return self.clauses[0].inline

    @property
    def name_span(self) -> Span:
        """The location of the name in the first clause."""
        return self.clauses[0].name_span

    @property
    def is_source(self) -> bool:
        """Always false: rules take data."""
        return False


@dataclass(eq=False)
class PresetDefinition:
    """A network with attributes filled in."""

    name: str
    module: ModuleScope
    node: ast.Preset

    @property
    def damaged(self) -> bool:
        """Whether it could not be parsed, which was reported."""
        return self.node.damaged

    @property
    def name_span(self) -> Span:
        """The location of its name."""
        return self.node.name_span

    inline = False
    is_source = False
    parameters: tuple[ast.Parameter, ...] = ()


Definition: TypeAlias = "BlockDefinition | RuleDefinition | PresetDefinition"


@dataclass(eq=False)
class ModuleScope:
    """One file: its own definitions and those that it imports."""

    name: str
    tree: ast.Module
    own: dict[str, Definition] = field(default_factory=dict)
    used: dict[str, Definition] = field(default_factory=dict)
    prelude: frozenset[str] = frozenset()
    """Names that are visible everywhere."""
    brought: list[tuple[str, str, Span | None]] = field(default_factory=list)
    """Names imported by a `use`, their module, and their location if they are written there."""
    is_damaged: bool = False
    """Whether a `use` failed, so that unknown names may have been meant to come from it."""
    missed: set[str] = field(default_factory=set)
    """Names that a `use` did not find, and names that an unreadable line may define."""
    calls: tuple[WrittenCall, ...] = ()
    """Calls of names that no local name hides, whether or not they are used."""
    rebound: frozenset[int] = frozenset()
    """Offsets of names that a body binds again, which is reported once for each name."""
    error_lines: frozenset[int] = frozenset()
    """Lines with syntax errors."""
    decisive: dict[Hashable, Mapping[str, Decides]] = field(default_factory=dict)
    """Results of `decisive_names` for its definitions."""

    def has_syntax_error(self, span: Span) -> bool:
        """Whether the span begins on a line with a syntax error."""
        return span.line in self.error_lines

    def definition(self, name: str) -> Definition | None:
        """The definition of a name here, or None."""
        return self.own.get(name) or self.used.get(name)

    @property
    def names(self) -> Iterable[str]:
        """Names of all visible definitions."""
        return [*self.own, *self.used]


def networks(scope: ModuleScope) -> Mapping[str, Definition]:
    """Networks and presets of a file, in order."""
    return {
        name: definition
        for name, definition in scope.own.items()
        if isinstance(definition, PresetDefinition)
        or (isinstance(definition, BlockDefinition) and definition.node.is_network)
    }
