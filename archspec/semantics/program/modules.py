"""Files, their definitions, and the files they use.

A spec may use the standard library (`use std.cnn { .. }`), files in its folder by name, and the
shipped specs if no file in its folder has that name. No other file is read: a path in a `use`
consists of plain names, and a link that leads out of the folder is rejected.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from archspec import shipped
from archspec.diagnostics.model import Diagnostic, Sink, diagnostic
from archspec.diagnostics.suggest import rename
from archspec.semantics.program.definition_checks import check_clauses, check_names
from archspec.semantics.program.definitions import (
    BlockDefinition,
    ModuleScope,
    PresetDefinition,
    RuleDefinition,
)
from archspec.semantics.program.lines_with_errors import error_lines, names_in, names_on
from archspec.semantics.program.use_paths import STANDARD, find, hidden, shown_name, unreadable
from archspec.source import Source
from archspec.syntax import ParseResult, ast, parse
from archspec.syntax.encoding import decode

PRELUDE = "combinators"
"""The module of the standard library that is visible everywhere."""


@cache
def _library(name: str, text: str) -> ParseResult:
    """A file of the standard library; all compilations of a process share its tree."""
    return parse(Source(name, text))


class Program:
    """All files of one compilation."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.modules: dict[Path, ModuleScope] = {}
        self._loading: list[Path] = []
        self._found: dict[tuple[Path | None, tuple[str, ...]], Path] = {}

    def load_file(self, path: Path, shown: str | None = None) -> ModuleScope:
        """The module in a file. Raises OSError if it can't be read.

        A path that is not a file, such as a folder or a FIFO, is reported (E0804).
        """
        instead = None if path in self.modules else shipped.in_place_of_file(path)
        resolved = path if instead or path in self.modules else path.resolve()
        known = self.modules.get(resolved)
        if known is not None:
            return known
        source, fault = _read(path, shown or str(path), instead)
        if fault is not None:
            self.sink.report(fault)
            scope = ModuleScope(path.stem, ast.Module(source, None, (), (), ()), is_damaged=True)
            self.modules[resolved] = scope
            return scope
        return self.load_source(source, resolved)

    def siblings(self, scope: ModuleScope) -> list[ModuleScope]:
        """The modules read so far, except this one and those of libraries."""
        read = self.modules.values()
        return [
            item
            for item in read
            if item is not scope and not shipped.is_library(item.tree.source.name)
        ]

    def load_source(self, source: Source, path: Path | None = None) -> ModuleScope:
        """The module in a text; `path` is its location, used to find siblings."""
        shared = path is not None and shipped.is_library(source.name)
        result = _library(source.name, source.text) if shared else parse(source)
        source = result.module.source
        self.sink.extend(result.diagnostics)
        scope = ModuleScope(path.stem if path else source.name, result.module)
        scope.error_lines = error_lines(result.diagnostics)
        scope.missed = names_on(source, scope.error_lines) | names_in(result.unread)
        if path is not None:
            self.modules[path] = scope
            self._loading.append(path)
        _collect(scope, self.sink)
        self._use_prelude(scope, path)
        for use in {use.span.text: use for use in result.module.uses}.values():
            self._use(scope, use, path)
        if path is not None:
            self._loading.pop()
        return scope

    def _use_prelude(self, scope: ModuleScope, path: Path | None) -> None:
        prelude = STANDARD / f"{PRELUDE}.arch"
        if path is not None and path == prelude.resolve():
            return
        shown = f"{shipped.STANDARD}{prelude.name}"
        found = self.load_file(prelude, shown).own
        scope.prelude = frozenset(found)
        scope.used.update(found)

    def _use(self, scope: ModuleScope, use: ast.Use, path: Path | None) -> None:
        target = self._found.get((path, use.path))
        if target is None and (target := find(use, path, self.sink)) is not None:
            target = self._found[path, use.path] = target.resolve()
        if target is not None and target in self._loading:
            message = f"`{'.'.join(use.path)}` imports this file in turn"
            self.sink.report(diagnostic("E0203", message, use.span))
            target = None
        module = None if target is None else self._used_file(scope, use, target)
        if target is None or module is None:
            scope.is_damaged = True
            scope.missed.update(name.text for name in use.names or ())
            return
        names = use.names
        path_text = ".".join(use.path)
        if names is None:
            scope.used.update(module.own)
            scope.brought += ((name, path_text, None) for name in module.own)
            return
        for name in names:
            definition = module.own.get(name.text)
            if definition is None and (module.is_damaged or name.text in module.missed):
                scope.missed.add(name.text)
                continue
            if definition is None:
                scope.is_damaged = True
                if not self.sink.is_full:  # finding a suggestion is slow
                    self.sink.report(
                        diagnostic(
                            "E0202",
                            f"`{'.'.join(use.path)}` defines no `{name.text}`",
                            name.span,
                            notes=hidden(use, target, name.text),
                            fix=rename(name.span, name.text, module.own),
                        )
                    )
                continue
            scope.used[name.text] = definition
            scope.brought.append((name.text, path_text, name.span))

    def _used_file(self, scope: ModuleScope, use: ast.Use, target: Path) -> ModuleScope | None:
        try:
            return self.load_file(target, shown_name(scope.tree.source, use, target))
        except OSError as fault:
            self.sink.report(unreadable(use, fault))
            return None


MAX_BYTES = 4_000_000
"""The most that is read of a file; the parser's own limit is lower and has its own message."""


def _read(path: Path, shown: str, instead: str | None) -> tuple[Source, Diagnostic | None]:
    """The text of a file and any diagnostic; `instead` describes a path that is not a file."""
    if instead is not None:
        return Source(shown, ""), diagnostic("E0804", f"{shown} is {instead}, not a file")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    return decode(shown, data.removeprefix(BOM_UTF8))


def _collect(scope: ModuleScope, sink: Sink) -> None:
    rules: dict[str, list[ast.RuleClause]] = {}
    signatures: dict[str, ast.Signature] = {}
    last = ""
    for node in scope.tree.definitions:
        if isinstance(node, ast.RuleClause):
            if node.name in rules and last != node.name:
                _scattered(node, rules[node.name][0], sink)
            last = node.name
            if _is_new(scope, node, sink, node.name in rules):
                rules.setdefault(node.name, []).append(node)
            continue
        last = node.name
        if isinstance(node, ast.Signature):
            signatures[node.name] = node
        elif _is_new(scope, node, sink, node.name in rules):
            scope.own[node.name] = (
                PresetDefinition(node.name, scope, node)
                if isinstance(node, ast.Preset)
                else BlockDefinition(node.name, scope, node)
            )
    for name, clauses in rules.items():
        scope.own[name] = RuleDefinition(name, scope, tuple(clauses), signatures.pop(name, None))
    _check_heads(scope, sink)
    for name, signature in signatures.items():
        if scope.has_syntax_error(signature.name_span):
            continue
        message = f"this is the signature of a rule `{name}`, which has no clauses"
        sink.report(diagnostic("E0206", message, signature.name_span))


def _is_new(scope: ModuleScope, node: ast.Definition, sink: Sink, continues: bool) -> bool:
    earlier = scope.own.get(node.name)
    if earlier is None and (not continues or isinstance(node, ast.RuleClause)):
        return True
    place = earlier.name_span if earlier is not None else node.name_span
    sink.report(
        diagnostic(
            "E0205",
            f"`{node.name}` is defined twice",
            node.name_span,
            secondary=[(place, "first defined here")],
        )
    )
    return False


def _scattered(node: ast.RuleClause, first: ast.RuleClause, sink: Sink) -> None:
    sink.report(
        diagnostic(
            "E0207",
            f"clauses of `{node.name}` must be next to each other",
            node.name_span,
            secondary=[(first.name_span, "the others are here")],
        )
    )


def _check_heads(scope: ModuleScope, sink: Sink) -> None:
    for definition in scope.own.values():
        if isinstance(definition, PresetDefinition):
            continue
        heads: Iterable[ast.BlockDef | ast.RuleClause] = (
            definition.clauses if isinstance(definition, RuleDefinition) else (definition.node,)
        )
        for head in heads:
            check_names(head.parameters, sink)
        if isinstance(definition, RuleDefinition):
            check_clauses(definition, sink)
