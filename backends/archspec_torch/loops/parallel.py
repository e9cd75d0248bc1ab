"""A loop over several lists of modules, and over values that are numbered like them.

maps: List[Tensor] = []
for feature, layer, conv in zip((features_0, features_1, features_2), self.layers, self.convs):
x = layer(feature)
x = conv(x)
maps.append(x)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import Names
from archspec.graph.codegen.repeats import LONGEST_ITERATION, SHORTEST_ITERATIONS
from archspec_torch.code.lines import Line, common
from archspec_torch.code.names import one_of, singular
from archspec_torch.code.pieces import Argument, Call, code
from archspec_torch.code.renaming import (
    TOKEN,
    is_dead,
    names_read,
    renamed_code,
    with_function,
)
from archspec_torch.code.text import flat
from archspec_torch.forward.variables import POOL
from archspec_torch.planning.tree import Branch, Kind

NUMBERED = re.compile(r"([A-Za-z]\w*?)_(\d+)")
"""A variable for an element of a tuple."""


@frozen
class _Run:
    """Equal iterations from line `start`, each of `length` lines, over these lists.

    `bases` are the names of numbered variables, with the number in the first iteration.
    """

    lists: tuple[Branch, ...]
    start: int
    length: int
    bases: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        return len(self.lists[0].children)

    @property
    def end(self) -> int:
        return self.start + self.count * self.length


def with_parallel_lists(root: Branch, forward: list[Line], names: Names) -> list[Line]:
    """`forward` with equal lines for the children of lists of one length as loops."""
    lists = [branch for branch in lists_in(root) if len(branch.children) >= SHORTEST_ITERATIONS]
    for first in lists:
        alike = [branch for branch in lists if len(branch.children) == len(first.children)]
        run = _run(first, alike, forward)
        if run is not None:
            forward = _folded(run, forward, names) or forward
    return forward


def lists_in(branch: Branch) -> Iterator[Branch]:
    """The lists of modules below a branch."""
    if branch.kind is Kind.LIST:
        yield branch
    for child in branch.children.values():
        if child.kind in (Kind.LIST, Kind.MAPPING, Kind.SCOPE):
            yield from lists_in(child)


def _run(first: Branch, lists: Sequence[Branch], forward: Sequence[Line]) -> _Run | None:
    texts = [flat(line.code) for line in forward]
    places = [
        [at for at, text in enumerate(texts) if child.access in text]
        for child in first.children.values()
    ]
    if any(len(found) != 1 for found in places):
        return None
    at, length = places[0][0], places[1][0] - places[0][0]
    if not 0 < length <= LONGEST_ITERATION:
        return None
    for start in range(max(at - length + 1, 0), at + 1):
        bases = _bases(lists, forward, start, length)
        if bases is None:
            continue
        used = tuple(
            one
            for one in lists
            if next(iter(one.children.values())).access in "".join(texts[start : start + length])
        )
        return _Run(used, start, length, bases) if first in used else None
    return None


def _bases(
    lists: Sequence[Branch], forward: Sequence[Line], start: int, length: int
) -> tuple[tuple[str, int], ...] | None:
    """The numbered variables of equal iterations; None if these differ in more."""
    count = len(lists[0].children)
    if start + count * length > len(forward):
        return None
    iterations = [
        [_tokens(line, lists, number) for line in forward[start + number * length :][:length]]
        for number in range(count)
    ]
    indents = [
        [line.indent for line in forward[start + number * length :][:length]]
        for number in range(count)
    ]
    if any(one != indents[0] for one in indents) or indents[0][0]:
        return None
    found: dict[str, int] = {}
    for number, lines in enumerate(iterations[1:], 1):
        for one, two in zip(iterations[0], lines, strict=True):
            if len(one) != len(two):
                return None
            for left, right in zip(one, two, strict=True):
                if left == right:
                    continue
                pair = _pair(left, right, number)
                if pair is None or found.setdefault(*pair) != pair[1]:
                    return None
    return tuple(found.items())


def _tokens(line: Line, lists: Sequence[Branch], number: int) -> list[str]:
    """The tokens of a line, with placeholders for the children with a number."""
    text = flat(line.code)
    for at, branch in enumerate(lists):
        child = [*branch.children.values()][number]
        text = text.replace(f"{child.access}(", f"list_{at}(")
    return [part for token in TOKEN.findall(text) for part in token.partition(".")]


def _pair(left: str, right: str, number: int) -> tuple[str, int] | None:
    """The base of two numbered variables, and its first number, if these differ by `number`."""
    one, two = NUMBERED.fullmatch(left), NUMBERED.fullmatch(right)
    if one is None or two is None or one[1] != two[1] or int(two[2]) - int(one[2]) != number:
        return None
    return one[1], int(one[2])


def _folded(run: _Run, forward: Sequence[Line], names: Names) -> list[Line]:
    """The lines with the iterations as a loop; empty if a name is missing."""
    parts = [forward[run.start + at * run.length :][: run.length] for at in range(run.count)]
    rest = [*forward[run.end :]]
    made = {word for line in parts[0] for word in re.findall(r"\w+", _target(line))}
    free = (name for name in POOL if name not in made and is_dead(name, [*parts[0], *rest]))
    variables: list[str] = []
    sources: list[Argument] = []
    head: list[Line] = []
    tail: list[Line] = []
    body = [_in_loop(line, [part[at] for part in parts]) for at, line in enumerate(parts[0])]
    for base, start in run.bases:
        numbered = [f"{base}_{start + at}" for at in range(run.count)]
        wanted = one_of(base)
        is_new = wanted != "" and names.free(wanted)
        variable = names.fresh(wanted) if is_new else next(free, "")
        if not variable:
            return []
        body = [replace(one, code=renamed_code(one.code, numbered[0], variable)) for one in body]
        if _is_read_first(numbered[0], parts[0]):
            variables.append(variable)
            elements = tuple(Argument(code(name)) for name in numbered)
            sources.append(Argument((Call("", elements),)))
        if numbered[0] not in made:
            continue
        results = names.fresh(base)
        head.append(Line(code(f"{results}: List[Tensor] = []")))
        tail.append(Line(code(f"{results}.append({variable})"), 4))
        for at, name in enumerate(numbered):
            if (found := _read_from(rest, name, f"{results}[{at}]")) is None:
                return []
            rest = found
    for branch in run.lists:
        variable = names.fresh(singular(branch.name))
        child = next(iter(branch.children.values())).access
        body = [replace(one, code=with_function(one.code, child, variable)) for one in body]
        variables.append(variable)
        sources.append(Argument(code(branch.access)))
    source = code(Call("zip", tuple(sources))) if len(sources) > 1 else sources[0].code
    loop = code(f"for {', '.join(variables)} in ", source, ":")
    return [*forward[: run.start], *head, Line(loop), *body, *tail, *rest]


def _is_read_first(name: str, lines: Sequence[Line]) -> bool:
    """Whether lines read a variable before they assign to it."""
    for line in lines:
        if name in names_read(line):
            return True
        if name in re.findall(r"\w+", _target(line)):
            return False
    return False


def _in_loop(line: Line, alike: Sequence[Line]) -> Line:
    return replace(line, indent=line.indent + 4, comment=common([one.comment for one in alike]))


def _read_from(lines: Sequence[Line], name: str, element: str) -> list[Line] | None:
    """The lines with an element of a list instead of a variable, until they assign to that.

    The variable that they assign gets a generic name; None if there is none.
    """
    places = [at for at, line in enumerate(lines) if name in re.findall(r"\w+", _target(line))]
    last = places[0] if places else len(lines)
    found = [replace(one, code=renamed_code(one.code, name, element)) for one in lines[:last]]
    if not places:
        return found
    line = lines[last]
    used = [at for at, one in enumerate(lines) if name in names_read(one)]
    for other in POOL:
        kept = [at for at, one in enumerate(lines) if other in re.findall(r"\w+", _target(one))]
        is_unused = is_dead(other, lines[last:]) and not any(last <= at < used[-1] for at in kept)
        if _target(line) == name and not line.indent and used and is_unused:
            source = renamed_code(line.code[1:], name, element)
            text = line.code[0]
            assert isinstance(text, str)
            again = replace(line, code=code(renamed_code((text,), name, other), source))
            after = lines[last + 1 :]
            after = [replace(one, code=renamed_code(one.code, name, other)) for one in after]
            return [*found, again, *after]
    return None


def _target(line: Line) -> str:
    target, sign, _ = flat(line.code).partition(" = ")
    return target if sign else ""
