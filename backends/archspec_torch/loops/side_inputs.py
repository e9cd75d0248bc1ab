"""A loop over the modules of a list, each of which reads the last result and a value of its own.

x = maps[3]
for layer, skip in zip(self.layers, (None, maps[2], maps[1], maps[0])):
    x = layer(x, skip=skip)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile

from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import Names
from archspec.graph.codegen.repeats import SHORTEST_ITERATIONS
from archspec_torch.code.lines import Line, common
from archspec_torch.code.names import one_of, singular
from archspec_torch.code.pieces import NOTHING, Argument, Call, Code, code
from archspec_torch.code.renaming import is_dead, names_read
from archspec_torch.code.text import flat
from archspec_torch.loops.parallel import lists_in
from archspec_torch.planning.tree import Branch

LOOP = r"for (\w+, )*{0}(, \w+)* in "
ASSIGNED = rf"({LOOP}|{{0}} = )"
VALUE = re.compile(r"[A-Za-z_]\w*(\[\d+\])?")


@frozen
class _Calls:
    """The calls of all children in consecutive lines from `start`, and their variables."""

    start: int
    targets: tuple[str, ...]
    calls: tuple[Call, ...]

    @property
    def end(self) -> int:
        return self.start + len(self.calls)


def with_side_inputs(root: Branch, forward: list[Line], names: Names) -> list[Line]:
    """`forward` with the calls of the children of lists as loops over these and other values."""
    for branch in lists_in(root):
        if len(branch.children) < SHORTEST_ITERATIONS:
            continue
        found = _calls([child.access for child in branch.children.values()], forward)
        if found is not None:
            forward = _folded(branch, found, forward, names) or forward
    return forward


def _calls(children: Sequence[str], forward: Sequence[Line]) -> _Calls | None:
    """The calls of the children, if each but the first one reads the result of the one before."""
    texts = [flat(line.code) for line in forward]
    start = next((at for at, text in enumerate(texts) if f"{children[0]}(" in text), len(texts))
    apart = texts[:start] + texts[start + len(children) :]
    if start == len(texts) or any(f"{one}(" in text for text in apart for one in children):
        return None
    lines = forward[start : start + len(children)]
    targets = [_target(line) for line in lines]
    calls: list[Call] = []
    for child, before, line in zip(children, ["", *targets[:-1]], lines, strict=True):
        made = line.code[-1]
        if line.indent or flat(line.code[:-1]) != f"{_target(line)} = ":
            return None
        if not isinstance(made, Call) or made.function != child:
            return None
        if before and before not in (flat(one.code) for one in made.arguments):
            return None
        calls.append(made)
    *others, last = targets
    rest = forward[start + len(children) :]
    is_last = all(one == last or is_dead(one, rest) for one in others)
    return _Calls(start, tuple(targets), tuple(calls)) if is_last and last.isidentifier() else None


def _folded(
    branch: Branch, found: _Calls, forward: Sequence[Line], names: Names
) -> list[Line] | None:
    """The lines with the calls as a loop; None if they differ in more than values."""
    columns = [*zip(*(made.arguments for made in found.calls), strict=False)]
    lengths = {len(made.arguments) for made in found.calls}
    if len(lengths) > 1 or any(len({one.keyword for one in column}) > 1 for column in columns):
        return None
    others = found.targets[:-1]
    passed = [at for at, one in enumerate(columns) if (*_texts(one[1:]),) == others]
    if len(passed) != 1:
        return None
    first = columns.pop(passed[0])[0]
    own = [column for column in columns if len({*_texts(column)}) > 1]
    values = [one.code for column in columns for one in column]
    read = {name for value in values for name in names_read(Line(value))}
    if not own or read & {*found.targets} or not all(map(_is_value, values)):
        return None
    target, before, rest = found.targets[-1], forward[: found.start], forward[found.end :]
    each = _each(singular(branch.name), LOOP, before, rest, names)
    variables, sources = [each], [Argument(code(branch.access))]
    arguments: list[Argument] = []
    for column in columns:
        if column not in own:
            arguments.append(column[0])
            continue
        earlier = [] if NOTHING in values else before  # TorchScript gives a variable one type
        variables.append(_each(_name(column), ASSIGNED, earlier, rest, names))
        sources.append(Argument((Call("", tuple(Argument(one.code) for one in column)),)))
        arguments.append(Argument(code(variables[-1]), column[0].keyword))
    arguments.insert(passed[0], Argument(code(target), first.keyword))
    head = [] if flat(first.code) == target else [Line(code(f"{target} = ", first.code))]
    loop = code(f"for {', '.join(variables)} in ", Call("zip", tuple(sources)), ":")
    comment = common([line.comment for line in forward[found.start : found.end]])
    body = Line(code(f"{target} = ", Call(each, tuple(arguments))), 4, comment, tensors=True)
    return [*forward[: found.start], *head, Line(loop), body, *rest]


def _each(
    wanted: str, pattern: str, before: Sequence[Line], rest: Sequence[Line], names: Names
) -> str:
    """A variable of the loop: one that earlier lines assign, if nothing else reads it."""
    assigned = re.compile(pattern.format(wanted))
    places = [at for at, line in enumerate(before) if assigned.match(flat(line.code))]
    if not places or not is_dead(wanted, rest):
        return names.fresh(wanted)
    after = dropwhile(lambda line: line.indent, before[places[-1] + 1 :])
    return wanted if is_dead(wanted, [*after]) else names.fresh(wanted)


def _texts(column: Sequence[Argument]) -> Iterator[str]:
    return (flat(one.code) for one in column)


def _is_value(source: Code) -> bool:
    """Whether it is None, a variable, or an element of a list."""
    return source == NOTHING or VALUE.fullmatch(flat(source)) is not None


def _name(column: Sequence[Argument]) -> str:
    """The argument of the called class, or what the names of the values have in common."""
    if column[0].keyword:
        return column[0].keyword
    texts = [flat(one.code) for one in column if one.code != NOTHING]
    bases = {re.sub(r"(_\d+|\[\d+\])$", "", text) for text in texts}
    return (one_of(bases.pop()) if len(bases) == 1 else "") or "y"


def _target(line: Line) -> str:
    target, sign, _ = flat(line.code).partition(" = ")
    return target if sign else ""
