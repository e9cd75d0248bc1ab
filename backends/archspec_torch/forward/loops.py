"""Repetitions in `forward` as loops over the modules of a container.

It works on written lines: if equal lines exist for each child of a container, in order, and differ
only in that child, they become one loop. It does not matter whether the spec has a `for` or a
recursion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec.graph.codegen.identifiers import Names, numbered
from archspec.graph.codegen.repeats import SHORTEST_ITERATIONS, iterations
from archspec_torch.code.comprehensions import numbered_comprehension
from archspec_torch.code.lines import Line, common
from archspec_torch.code.pieces import Argument, Call, Code, Piece, code
from archspec_torch.planning.tree import Branch, Kind

CHILD = "\2"
"""Placeholder for the current child."""


def fold_loops(
    root: Branch, init: list[Line], forward: list[Line], names: Names
) -> tuple[list[Line], list[Line]]:
    """`__init__` and `forward` with repetitions as loops."""
    for branch in _containers(root):
        children = [child.access for child in branch.children.values()]
        found = _iterations(forward, children)
        if found is None:
            continue
        start, length = found
        if branch is root:
            folded = _folded_init(root, init)
            if folded is None:
                continue
            init = folded
        forward = _folded(branch, forward, start, length, names)
    return init, forward


def _containers(branch: Branch) -> list[Branch]:
    """Containers of modules that can be iterated over."""
    found: list[Branch] = []
    children = list(branch.children.values())
    if len(children) >= SHORTEST_ITERATIONS and all(
        child.kind is Kind.MODULE for child in children
    ):
        is_root = not branch.path and not branch.is_extended
        if branch.kind in (Kind.LIST, Kind.MAPPING) or is_root:
            found.append(branch)
    for child in children:
        if child.kind in (Kind.LIST, Kind.MAPPING, Kind.SCOPE):
            found += _containers(child)
    return found


def _iterations(forward: Sequence[Line], children: Sequence[str]) -> tuple[int, int] | None:
    """First line and number of lines of an iteration."""
    index = _mentions(forward, children)

    def form(at: int, child: int) -> tuple[int, Code]:
        return forward[at].indent, _marked(forward[at].code, children[child])

    return iterations([index.get(child, []) for child in children], len(forward), form)


def _mentions(forward: Sequence[Line], children: Sequence[str]) -> dict[str, list[int]]:
    """The lines that call each child."""
    known = set(children)
    found: dict[str, list[int]] = {}
    for at, line in enumerate(forward):
        for text in _called(line.code):
            if text in known:
                found.setdefault(text, []).append(at)
            elif "self." in text and "(" in text:
                for child in children:
                    if f"{child}(" in text:
                        found.setdefault(child, []).append(at)
    return found


def _called(source: Code) -> Iterator[str]:
    """Names of called functions, and text that may contain calls."""
    for piece in source:
        if isinstance(piece, str):
            yield piece
        elif isinstance(piece, Call):
            yield piece.function
            for argument in piece.arguments:
                yield from _called(argument.code)


def _folded(
    branch: Branch, forward: list[Line], start: int, length: int, names: Names
) -> list[Line]:
    """The lines with all iterations replaced by a loop."""
    children = [child.access for child in branch.children.values()]
    each = names.fresh("layer")
    source = {Kind.LIST: branch.access, Kind.MAPPING: f"{branch.access}.values()"}.get(
        branch.kind, "self.children()"
    )
    parts = [
        forward[start + number * length : start + (number + 1) * length]
        for number in range(len(children))
    ]
    body = [
        replace(
            line,
            code=_marked(line.code, children[0], each),
            indent=line.indent + 4,
            comment=common([part[at].comment for part in parts]),
        )
        for at, line in enumerate(parts[0])
    ]
    head = Line(code(f"for {each} in {source}:"), parts[0][0].indent)
    return [*forward[:start], head, *body, *forward[start + length * len(children) :]]


def _folded_init(root: Branch, init: list[Line]) -> list[Line] | None:
    """`for i in range(n): self.add_module(f"layer{i}", ...)`."""
    names = list(root.children)
    if len(init) != len(names) or numbered(names) is None:
        return None
    values = []
    for name, line in zip(names, init, strict=True):
        start = f"self.{name} = "
        if line.code[0] != start:
            return None
        values.append(line.code[1:])
    found = numbered_comprehension(names, values)
    if found is None:
        return None
    label, value, loop = found
    call = Call("self.add_module", (Argument(label), Argument(value)))
    return [Line(code(loop, ":")), Line((call,), 4)]


# ---------------------------------------------------------------------- code


def _marked(source: Code, child: str, mark: str = CHILD) -> Code:
    """The code with a child replaced by a placeholder."""
    pieces: list[Piece] = []
    for piece in source:
        if isinstance(piece, str):
            pieces.append(piece.replace(f"{child}(", f"{mark}("))
        elif isinstance(piece, Call):
            arguments = tuple(
                Argument(_marked(item.code, child, mark), item.keyword, item.default)
                for item in piece.arguments
            )
            function = mark if piece.function == child else piece.function
            pieces.append(Call(function, arguments, piece.brackets, piece.comma))
        else:
            pieces.append(piece)
    return tuple(pieces)
