"""Pieces of generated code with holes where specialisations of one block may differ.

Code is a tuple of text, `Hole` and `Call`. Two blocks whose code has the same `skeleton` become one
class; holes with different values become its constructor arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec.graph.expression import Expression
from archspec_torch.code.precedence import needs_parentheses


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Any = _NoDefault()

COUNT = "depth"
"""The hint for the number of iterations of a loop."""


@frozen
class Absent:
    """In a hole of a line that a specialisation does not run, while others have a value there."""

    value: Any


def present(value: Any) -> Any:
    """A constant, or the one that others have where it is absent."""
    return value.value if isinstance(value, Absent) else value


@frozen
class Hole:
    """A constant that may become a constructor argument; `hint` proposes its name.

    `origin` is its expression in the spec, over names of the block. `outside` says that it is an
    argument of a called block for a number that another block wrote. For the number of iterations
    of a loop, `start` is the module of the first one. `read` are names on which a number may
    depend whose expression is not known; `derived` are those of the called block, or of the values
    of a table. `factor` is the position of a size among those into which a pattern splits its
    input, `axis` that of one among the sizes of its result.
    """

    value: Any
    hint: str = ""
    origin: Expression | None = field(default=None, compare=False)
    outside: bool = field(default=False, compare=False)
    start: str = field(default="", compare=False)
    derived: tuple[str, ...] = field(default=(), compare=False)
    read: tuple[str, ...] = field(default=(), compare=False)
    factor: int | None = field(default=None, compare=False)
    axis: int | None = field(default=None, compare=False)


@frozen
class Argument:
    """An argument of a call. It is left out if it is a constant equal to `default`."""

    code: Code
    keyword: str = ""
    default: Any = NO_DEFAULT

    @property
    def omitted(self) -> bool:
        """Whether it is equal to the default and can be omitted."""
        if self.default is NO_DEFAULT or len(self.code) != 1:
            return False
        (piece,) = self.code
        return isinstance(piece, Hole) and _same(piece.value, self.default)


@frozen
class Call:
    """`function(arguments)`, wrapped if it is too long.

    `brackets` are "()", or "[]" and "{}" for displays (then `function` is empty, or "*"). The two
    parts of a comprehension, `x for x in y`, have no `comma` between them.
    """

    function: str
    arguments: tuple[Argument, ...]
    brackets: str = "()"
    comma: str = ","


Piece: TypeAlias = "str | Hole | Call"
Code: TypeAlias = "tuple[Piece, ...]"
Part: TypeAlias = "Piece | Code | int | float | bool | None"


def code(*parts: Part) -> Code:
    """Join parts; numbers and None become holes."""
    pieces: list[Piece] = []
    for part in parts:
        if isinstance(part, tuple):
            pieces.extend(part)
        elif isinstance(part, str | Hole | Call):
            pieces.append(part)
        else:
            pieces.append(Hole(part))
    return tuple(pieces)


def call(function: str, *arguments: Part | Argument) -> Code:
    """`function(a, b, keyword=c)`."""
    return (Call(function, tuple(argument(item) for item in arguments)),)


def element(source: Code, index: int) -> Code:
    """One item of a tuple; the item itself if the tuple is written out."""
    if len(source) == 1 and isinstance(source[0], Call) and not source[0].function:
        return source[0].arguments[index].code
    return code(source, f"[{index}]")


def listing(items: Sequence[Part | Argument]) -> Code:
    """`[a, b, c]`."""
    return (Call("", tuple(argument(item) for item in items), "[]"),)


def comprehension(item: Part, loop: Part, star: bool) -> Code:
    """`[item for x in y]`, or `*[...]`."""
    parts = (argument(item), argument(loop))
    return (Call("*" if star else "", parts, "[]", ""),)


def keyword(name: str, value: Any, default: Any = NO_DEFAULT, hint: str = "") -> Argument:
    """`name=value`, omitted if the value is `default`."""
    if not isinstance(value, str | Hole | Call | tuple) or _is_data(value):
        value = Hole(value, hint or name)
    return Argument(code(value), name, default)


NOTHING: Code = (Hole(None),)
"""The argument None."""


def optional_argument(name: str, value: Code) -> Argument:
    """`name=value` for a tensor that may be None, which is the default."""
    return Argument(value, name, None)


def positional(value: Any, hint: str) -> Argument:
    """A positional constant."""
    return Argument((Hole(value, hint),))


class Quoted(str):
    """A string that fills a hole as it is."""

    __slots__ = ()


def _is_data(value: object) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(item, int | float) or _is_data(item) for item in value
    )


def argument(item: Part | Argument) -> Argument:
    """A part as an argument of a call without a keyword."""
    return item if isinstance(item, Argument) else Argument(code(item))


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


# ---------------------------------------------------------------------- traversal


def holes(source: Code) -> Iterator[Hole]:
    """All holes, from left to right."""
    for piece in source:
        if isinstance(piece, Hole):
            yield piece
        elif isinstance(piece, Call):
            for argument in piece.arguments:
                yield from holes(argument.code)


def replace(source: Code, change: Callable[[Hole], Code]) -> Code:
    """The same code with every hole replaced, from left to right.

    A replacement is put into parentheses where its operators need them.
    """
    pieces: list[Piece] = []
    for at, piece in enumerate(source):
        if isinstance(piece, Hole):
            new = change(piece)
            compound = len(source) > 1 and any(isinstance(p, str) and " " in p for p in new)
            loose = compound and source[:1] != ("if ",)
            loose = loose and needs_parentheses_at(new, source[:at], source[at + 1 :])
            pieces.extend(("(", *new, ")") if loose else new)
        elif isinstance(piece, Call):
            pieces.append(_inside(piece, lambda argument: replace(argument, change)))
        else:
            pieces.append(piece)
    return tuple(pieces)


def needs_parentheses_at(new: Code, before: Code, after: Code) -> bool:
    """Whether code needs parentheses between other code."""
    return needs_parentheses(_plain(new), _plain(before), _plain(after))


def _plain(source: Code) -> str:
    """Code as text in which calls and holes are names, for its operators."""
    return "".join(
        piece if isinstance(piece, str) else "x" if isinstance(piece, Hole) else _mark(piece)
        for piece in source
    )


def _mark(made: Call) -> str:
    return f"{made.function}{made.brackets[0]}{made.brackets[-1]}"


def calls(source: Code) -> Iterator[Call]:
    """All calls, the outer ones first."""
    for piece in source:
        if isinstance(piece, Call):
            yield piece
            for argument in piece.arguments:
                yield from calls(argument.code)


def with_calls(source: Code, change: Callable[[Call], Call]) -> Code:
    """The same code with every call replaced; those in its arguments already are."""
    return tuple(
        change(_inside(piece, lambda argument: with_calls(argument, change)))
        if isinstance(piece, Call)
        else piece
        for piece in source
    )


def with_texts(source: Code, change: Callable[[str], str]) -> Code:
    """The same code with its texts, and the functions of its calls, changed."""

    def changed(piece: Piece) -> Piece:
        if isinstance(piece, Call):
            inner = _inside(piece, lambda argument: with_texts(argument, change))
            return Call(change(piece.function), inner.arguments, piece.brackets, piece.comma)
        return change(piece) if isinstance(piece, str) else piece

    return tuple(map(changed, source))


def _inside(made: Call, change: Callable[[Code], Code]) -> Call:
    """A call with the code of its arguments changed."""
    arguments = tuple(
        Argument(change(item.code), item.keyword, item.default) for item in made.arguments
    )
    return Call(made.function, arguments, made.brackets, made.comma)


def skeleton(source: Code, kind_of: Callable[[Any], str] | None = None) -> str:
    """The common part of pieces of code that only differ in the values of holes."""
    named = kind_of or kind
    parts: list[str] = []
    for piece in source:
        if isinstance(piece, str):
            parts.append(piece)
        elif isinstance(piece, Hole):
            parts.append(f"\0{named(piece.value)}\0")
        else:
            inner = ",".join(f"{a.keyword}={skeleton(a.code, named)}" for a in piece.arguments)
            parts.append(f"{piece.function}{piece.brackets[0]}{inner}{piece.brackets[1]}")
    return "".join(parts)


def kind(value: Any) -> str:
    """Type of a constant, as an annotation writes it."""
    value = present(value)
    if isinstance(value, Quoted):
        return "str"
    if isinstance(value, tuple):
        kinds = [kind(item) for item in value]
        if len(set(kinds)) == 1 and len(kinds) > 8:
            return f"Tuple[{kinds[0]}, ...]"
        return f"Tuple[{', '.join(kinds) or '()'}]"
    return "float" if isinstance(value, float) else type(value).__name__


def constructed(source: Code) -> str:
    """The skeleton of code that creates modules: one number may be a tuple with one per axis."""
    return skeleton(source, lambda value: "int" if set(kinds_in(value)) == {"int"} else kind(value))


def kinds_in(value: Any) -> Iterator[str]:
    """Types of a constant, or of the items of a tuple."""
    value = present(value)
    if isinstance(value, tuple) and value:
        for item in value:
            yield from kinds_in(item)
    else:
        yield kind(value)
