"""Repetitions in `forward` as loops over the modules of a container.

It works on written lines: if equal lines exist for each child of a container, in order, and differ
only in that child, they become one loop. It does not matter whether the spec has a `for` or a
recursion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import Names, numbered
from archspec.graph.codegen.repeats import SHORTEST, SHORTEST_ITERATIONS, longest_iterations
from archspec_torch.code.comprehensions import Known, numbered_comprehension
from archspec_torch.code.lines import Line, common
from archspec_torch.code.names import singular
from archspec_torch.code.pieces import Argument, Call, Code, Hole, code, skeleton
from archspec_torch.code.pieces import replace as with_holes
from archspec_torch.code.renaming import (
    crosses,
    renamed_code,
    renamed_read,
    renamed_target,
    with_function,
    with_temporaries,
)
from archspec_torch.loops.gathering import with_gathered
from archspec_torch.planning.tree import Branch, Kind

CHILD = "\2"
"""Placeholder for the current child."""


@frozen
class _Run:
    """The first `count` children of a container, which have equal lines.

    The lines of the first begin at `start`, and each has `length` of them. If the first one reads
    another variable than the others, `reads` is that variable, and theirs. If the last one makes
    another variable than the others, `makes` is theirs, and that variable.
    """

    count: int
    start: int
    length: int
    reads: tuple[str, str] | None = None
    makes: tuple[str, str] | None = None


def fold_loops(
    root: Branch, init: list[Line], forward: list[Line], names: Names, known: Known
) -> tuple[list[Line], list[Line]]:
    """`__init__` and `forward` with repetitions as loops; `known` has the numbers of names."""
    for branch in _containers(root):
        children = [child.access for child in branch.children.values()]
        run = _run(children, forward)
        if run is None or run.count < len(children):
            run = _run_with_temporaries(children, forward)
        if run is None or run.count < len(branch.children):
            # TorchScript cannot call modules of a part of a list
            if branch.kind is Kind.LIST:
                forward = with_gathered(branch, forward, names, singular(branch.name)) or forward
            continue
        if branch is root:
            folded = _folded_init(root, init, known)
            if folded is None:
                continue
            init = folded
        forward = _folded(branch, forward, run, names)
    return init, forward


def with_fixed_counts(init: list[Line], lines: Sequence[Line]) -> list[Line]:
    """`__init__` in which the count of a loop is part of the text if `lines` write it out.

    Code that has a statement for each iteration is right for one count only.
    """
    text = "\n".join(skeleton(line.code) for line in lines)

    def fixed(hole: Hole) -> Code:
        is_fixed = hole.start and re.search(rf"{re.escape(hole.start)}(?![\w\[])", text)
        return code(str(hole.value)) if is_fixed else code(hole)

    return [replace(line, code=with_holes(line.code, fixed)) for line in init]


def _containers(branch: Branch) -> list[Branch]:
    """Containers of modules that can be iterated over."""
    found: list[Branch] = []
    children = list(branch.children.values())
    least = SHORTEST if branch.kind is Kind.LIST and _are_alike(children) else SHORTEST_ITERATIONS
    if len(children) >= least and all(child.kind is Kind.MODULE for child in children):
        is_root = not branch.path and not branch.is_extended
        if branch.kind in (Kind.LIST, Kind.MAPPING) or is_root:
            found.append(branch)
    for child in children:
        if child.kind in (Kind.LIST, Kind.MAPPING, Kind.SCOPE):
            found += _containers(child)
    return found


def _are_alike(children: Sequence[Branch]) -> bool:
    """Whether all are calls of one block: `__init__` has a loop, too."""
    called = {child.owned.either.graph for child in children if child.owned is not None}
    return len({None if graph is None else graph.name for graph in called} - {None}) == 1


def _run(children: Sequence[str], forward: Sequence[Line]) -> _Run | None:
    """As many children as have equal lines, from the first one on."""
    index = _mentions(forward, children)
    mentions = [index.get(child, []) for child in children]

    def form(at: int, child: int) -> tuple[int, Code]:
        return forward[at].indent, with_function(forward[at].code, children[child], CHILD)

    found = longest_iterations(mentions, len(forward), form)
    if found is not None:
        return _with_last(forward, children, mentions, _Run(found[2], *found[:2]))
    found = longest_iterations(mentions, len(forward), form, 1)
    run = found and _with_first(forward, children, mentions, found)
    return run and _with_last(forward, children, mentions, run)


def _run_with_temporaries(children: Sequence[str], forward: Sequence[Line]) -> _Run | None:
    """The same if values that only the next line reads may have other variables.

    They are read in the iteration that computes them, so the variable of one iteration fits all.
    """
    lines = with_temporaries(forward, {*chain(*_mentions(forward, children).values())})
    run = _run(children, lines)
    if run is None or run.makes or crosses(lines[run.start : run.start + run.length]):
        return None
    return run


def _with_first(
    forward: Sequence[Line],
    children: Sequence[str],
    mentions: Sequence[Sequence[int]],
    found: tuple[int, int, int],
) -> _Run | None:
    """A run from the second child on, and the first one, which reads another variable."""
    start, length, count = found
    before = start - length
    if before < 0 or not all(before <= place < start for place in mentions[0]):
        return None
    one = _pattern(forward, before, length, children[0])
    two = _pattern(forward, start, length, children[1])
    reads = renamed_read(one, two)
    return None if reads is None else _Run(count + 1, before, length, reads)


def _with_last(
    forward: Sequence[Line],
    children: Sequence[str],
    mentions: Sequence[Sequence[int]],
    run: _Run,
) -> _Run:
    """The run with one more child, if that makes another variable."""
    number, at = run.count, run.start + run.count * run.length
    end = at + run.length
    if number == len(children) or end > len(forward) or not mentions[number]:
        return run
    if not all(at <= place < end for place in mentions[number]):
        return run
    one = _pattern(forward, at - run.length, run.length, children[number - 1])
    two = _pattern(forward, at, run.length, children[number])
    makes = renamed_target(one, two, forward[end:])
    return run if makes is None else replace(run, count=run.count + 1, makes=makes)


def _pattern(forward: Sequence[Line], start: int, length: int, child: str) -> list[Line]:
    """The lines of a child, with a placeholder for it."""
    lines = forward[start : start + length]
    return [replace(line, code=with_function(line.code, child, CHILD)) for line in lines]


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


def _folded(branch: Branch, forward: list[Line], run: _Run, names: Names) -> list[Line]:
    """The lines with all iterations of a run replaced by a loop."""
    children = [child.access for child in branch.children.values()]
    each = names.fresh(singular(branch.name))
    parts = [
        forward[run.start + number * run.length : run.start + (number + 1) * run.length]
        for number in range(run.count)
    ]
    pattern = 1 if run.reads else 0
    body = [
        replace(
            line,
            code=with_function(line.code, children[pattern], each),
            indent=line.indent + 4,
            comment=common([part[at].comment for part in parts]),
        )
        for at, line in enumerate(parts[pattern])
    ]
    indent = parts[0][0].indent
    source = {Kind.LIST: branch.access, Kind.MAPPING: f"{branch.access}.values()"}.get(
        branch.kind, "self.children()"
    )
    head = [Line(code(f"for {each} in {source}:"), indent)]
    read, carried = run.reads or run.makes or ("", "")
    if run.makes:
        body = [replace(one, code=renamed_code(one.code, *run.makes)) for one in body]
        carried = run.makes[1]
    if carried:
        head.insert(0, Line(code(f"{carried} = {read}"), indent))
    end = run.start + run.length * run.count
    return [*forward[: run.start], *head, *body, *forward[end:]]


def _folded_init(root: Branch, init: list[Line], known: Known) -> list[Line] | None:
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
    found = numbered_comprehension(names, values, known)
    if found is None:
        return None
    label, value, loop = found
    call = Call("self.add_module", (Argument(label), Argument(value)))
    return [Line(code(loop, ":")), Line((call,), 4)]
