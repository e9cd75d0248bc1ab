"""New names for what Python binds again: `x = f(x)`, also in the bodies of loops and choices.

`for i in 0..n { x = x -> f }` becomes `x2 = x -> for i in 0..n { f }`, and a body that is not a
plain chain gets an `input` and an `output`. A list to which data is appended becomes a tuple.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archspec.diagnostics.model import Edit
from archspec.semantics.checks.chained_bodies import applied_calls, as_chain, names_read, subject_of
from archspec.semantics.program.bound_names import appended_to, bodies_of, changed_by
from archspec.source import Span
from archspec.syntax import ast


@dataclass
class Collected:
    """A list that is empty at first: its statement, the last append to it in the same body."""

    empty: ast.Bind
    last: ast.Statement | None
    parts: list[str] = field(default_factory=list)
    closed: bool = False


class NewNames:
    """The edits under construction; `taken` are names that cannot be new ones."""

    def __init__(self, taken: set[str], lists: Mapping[str, Collected]) -> None:
        self.taken, self.lists = taken, lists
        self.edits: list[Edit] = []
        self.shown: dict[int, str] = {}
        """A statement without a result, as it is written with one, by its id."""

    def statements(
        self,
        statements: Sequence[ast.Statement],
        reads: Sequence[Sequence[ast.Name]],
        names: set[str],
        current: dict[str, str] | None = None,
    ) -> bool:
        """Rename in statements; return whether that is possible.

        `reads` has the names that each of them reads; `current` has the present names of those in
        `names` that are bound already, and is updated.
        """
        inside = current is not None
        current = {} if current is None else current
        for statement, read in zip(statements, reads, strict=True):
            name = appended_to(statement)
            if name in self.lists and isinstance(statement, ast.ExprStmt):
                assert name is not None
                done = self._append(statement, self.lists[name], name, current)
            elif any(one.empty is statement for one in self.lists.values()):
                done = self._line_out(statement)
            elif bodies_of(statement) and changed_by(statement) & (current.keys() | self.lists):
                assert isinstance(statement, ast.ExprStmt)
                done = self._loop(statement, current)
            else:
                if inside:
                    self.edits.extend(applied_calls(statement, current))
                self._rename(read, current)
                done = self._bound(statement, names, current)
            if not done:
                return False
        return True

    def _bound(self, statement: ast.Statement, names: set[str], current: dict[str, str]) -> bool:
        """Take note of the names that a statement binds; those bound again get new names."""
        places = [(name, place) for name, place in bound(statement) if name in names]
        if len({name for name, _ in places}) < len(places):
            return False
        for name, place in places:
            if name not in current:
                current[name] = name
            elif not isinstance(statement, ast.Bind):
                return False
            else:
                current[name] = self._new(name)
                target = Span(place.source, place.start, place.start + len(name))
                self.edits.append(Edit(target, current[name]))
        return True

    def _new(self, name: str) -> str:
        number = 2
        while f"{name}{number}" in self.taken:
            number += 1
        self.taken.add(f"{name}{number}")
        return f"{name}{number}"

    def _rename(self, read: Sequence[ast.Name], current: Mapping[str, str]) -> None:
        for node in read:
            name = current.get(node.text, node.text)
            if name != node.text:
                self.edits.append(Edit(node.span, name))

    # -- loops and choices -----------------------------------------------------------------

    def _loop(
        self, statement: ast.ExprStmt, current: dict[str, str], *, is_result: bool = False
    ) -> bool:
        """Apply a loop or choice to the names that it changes, and bind or output its result."""
        value, changed = statement.value, changed_by(statement)
        data = [name for name in current if name in changed]
        lists = [name for name in self.lists if name in changed]
        if any(self.lists[name].closed or self.lists[name].last for name in lists):
            return False
        if not data:
            return len(lists) == 1 and self._comprehension(statement, lists[0], current)
        given = _tuple([current[name] for name in data])
        new = dict(zip(data, data if is_result else map(self._new, data), strict=True))
        targets = ", ".join((*new.values(), *(f"...{name}" for name in lists)))
        head = f"output {given} -> " if is_result else f"{targets} = {given} -> "
        self._insert(value.span.start, head, value.span)
        self.shown[id(statement)] = f"{head}{value.span.text.split(None, 1)[0]} .. {{ .. }}"
        self._rename([*names_read(subject_of(value))], current)
        inside = {**current, **{name: name for name in data}}
        for body in bodies_of(statement):
            if not self._body(body, data, lists, dict(inside)):
                return False
        current.update(new)
        for name in lists:
            self.lists[name].closed = True
        return True

    def _body(
        self, body: ast.Body, data: list[str], lists: list[str], current: dict[str, str]
    ) -> bool:
        """Rewrite a body so that it takes the names as its inputs, and yields them."""
        kinds = (ast.Bind, ast.ExprStmt)
        if not body.statements or not all(isinstance(one, kinds) for one in body.statements):
            return False
        chain = as_chain(body, data[0]) if len(data) == 1 and not lists else None
        if chain is not None:
            self.edits.extend(chain)
            self._rename([*names_read(body)], {**current, data[0]: data[0]})
            return True
        first, last = body.statements[0], body.statements[-1]
        margin = "\n" + " " * (first.span.column - 1)
        if first.span.line == body.span.line:
            return False
        inputs = ", ".join((*data, *(f"...{name}" for name in lists)))
        self._insert(first.span.start, f"input {inputs}{margin}", first.span)
        before = [[*names_read(one)] for one in body.statements]
        if not self.statements(body.statements[:-1], before[:-1], {*data}, current):
            return False
        return self._last(last, before[-1], (data, lists), current, margin)

    def _last(
        self,
        last: ast.Statement,
        read: list[ast.Name],
        names: tuple[list[str], list[str]],
        current: dict[str, str],
        margin: str,
    ) -> bool:
        """Rewrite the last statement of a body, and add its output."""
        data, lists = names
        if appended_to(last) in lists and isinstance(last, ast.ExprStmt):
            item = _appended(last)
            if not isinstance(item, ast.Name):
                return False
            name = appended_to(last) or ""
            self.lists[name].parts.append(current.get(item.text, item.text))
            self.edits.append(Edit(last.span, f"output {self._result(names, current)}"))
            return True
        if bodies_of(last) and isinstance(last, ast.ExprStmt):
            plain = not lists and changed_by(last) & current.keys() == {*data}
            return plain and self._loop(last, current, is_result=True)
        targets = last.targets if isinstance(last, ast.Bind) else ()
        if isinstance(last, ast.Bind) and [one.span.text for one in targets] == data and not lists:
            self.edits.extend(applied_calls(last, current))
            self._rename(read, current)
            start = Span(last.span.source, last.span.start, last.value.span.start)
            self.edits.append(Edit(start, "output "))
            return True
        if not self.statements([last], [read], {*data}, current):
            return False
        self._insert(last.span.end, f"{margin}output {self._result(names, current)}", last.span)
        return True

    def _result(self, names: tuple[list[str], list[str]], current: Mapping[str, str]) -> str:
        data, lists = names
        parts = [current[name] for name in data]
        for name in lists:
            parts += (f"...{name}", *self.lists[name].parts)
        return _tuple(parts)

    # -- lists -----------------------------------------------------------------------------

    def _append(
        self, statement: ast.ExprStmt, into: Collected, name: str, current: Mapping[str, str]
    ) -> bool:
        """Take note of data that is appended to a list; the last one completes the tuple."""
        item = _appended(statement)
        if item is None or into.closed:
            return False
        source, start, end = statement.span.source, statement.span.start, statement.span.end
        before, behind = Span(source, start, item.span.start), Span(source, item.span.end, end)
        into.closed = statement is into.last
        if into.closed:
            self._rename([*names_read(item)], current)
            parts = "".join(f"{part}, " for part in into.parts)
            self.edits += (Edit(before, f"{name} = ({parts}"), Edit(behind, ")"))
            return True
        if isinstance(item, ast.Name):
            into.parts.append(current.get(item.text, item.text))
            return self._line_out(statement)
        self._rename([*names_read(item)], current)
        into.parts.append(self._new(name))
        self.edits += (Edit(before, f"{into.parts[-1]} = "), Edit(behind, ""))
        return True

    def _comprehension(
        self, statement: ast.ExprStmt, name: str, current: Mapping[str, str]
    ) -> bool:
        """`for w in widths { xs.append(x -> f) }` as `xs = (x -> f for w in widths)`."""
        loop = statement.value
        if not isinstance(loop, ast.For) or len(loop.body.statements) != 1:
            return False
        (append,) = loop.body.statements
        item = _appended(append) if isinstance(append, ast.ExprStmt) else None
        if item is None:
            return False
        source, place = statement.span.source, statement.span
        self._rename([*names_read(loop.iterable), *names_read(item)], current)
        targets = ", ".join(one.span.text for one in loop.targets)
        rest = f" for {targets} in {loop.iterable.span.text})"
        self.edits += (
            Edit(Span(source, place.start, item.span.start), f"{name} = ("),
            Edit(Span(source, item.span.end, place.end), rest),
        )
        self.shown[id(statement)] = f"{name} = (.. for {targets} in ..)"
        self.lists[name].closed = True
        return True

    # -- edits -----------------------------------------------------------------------------

    def _insert(self, at: int, text: str, place: Span) -> None:
        self.edits.append(Edit(Span(place.source, at, at), text))

    def _line_out(self, statement: ast.Statement) -> bool:
        """Remove the line of a statement; return whether it has a line of its own."""
        place, source = statement.span, statement.span.source
        line = source.line(place.line)
        if line.partition("#")[0].strip() != place.text.strip():
            return False
        start = source.line_starts[place.line - 1]
        end = min(start + len(line) + 1, len(source.text))
        self.edits.append(Edit(Span(source, start, end), ""))
        return True


def _appended(statement: ast.ExprStmt) -> ast.Expr | None:
    """The data in `xs.append(x)` and `append(xs, x)`."""
    call = statement.value
    if not isinstance(call, ast.Call) or any(one.name is not None for one in call.arguments):
        return None
    method = isinstance(call.function, ast.Attribute)
    if isinstance(call.function, ast.Attribute) and call.function.name != "append":
        return None
    values = [one.value for one in call.arguments]
    return values[-1] if len(values) == (1 if method else 2) else None


def _tuple(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def bound(statement: ast.Statement) -> Iterator[tuple[str, Span]]:
    """The names that a statement binds."""
    if isinstance(statement, ast.Input):
        for item in statement.items:
            yield item.name, item.span
    elif isinstance(statement, ast.Bind):
        for target in statement.targets:
            if isinstance(target, ast.NameTarget):
                yield target.name, target.span
    elif isinstance(statement, ast.Shared | ast.ParamDecl | ast.BufferDecl):
        yield statement.name, statement.span
