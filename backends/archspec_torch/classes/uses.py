"""The statements of a shared block that is used on data of several types.

Each use has its own statements, from its own graph. Constants that differ become arguments that the
caller passes; if more differs, the argument `use` selects the statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archspec.graph.codegen.identifiers import Names
from archspec_torch.classes.constructor.arguments import choose_arguments
from archspec_torch.classes.constructor.parameters import Parameter
from archspec_torch.code.lines import Line, common
from archspec_torch.code.pieces import Code, Hole, code, holes, skeleton
from archspec_torch.code.pieces import replace as replaced

Lines = Sequence[Line]


def merged(uses: Sequence[Lines], names: Names) -> tuple[list[Line], list[Parameter]]:
    """One list of statements for all uses, and the arguments that select a use."""
    texts = [[(line.indent, line.code) for line in lines] for lines in uses]
    if all(text == texts[0] for text in texts):
        return _commented(uses), []
    shapes = [[(line.indent, skeleton(line.code)) for line in lines] for lines in uses]
    if all(shape == shapes[0] for shape in shapes):
        return _with_arguments(uses, names)
    numbers = tuple(texts.index(text) for text in texts)
    distinct = sorted(set(numbers))
    use = Parameter(names.fresh("use"), tuple(distinct.index(number) for number in numbers))
    return _switched([uses[number] for number in distinct], use.name), [use]


def _commented(uses: Sequence[Lines]) -> list[Line]:
    """The lines of the first use; differences in comments are left open."""
    return [
        replace(lines[0], comment=common([line.comment for line in lines]))
        for lines in zip(*uses, strict=True)
    ]


def _with_arguments(uses: Sequence[Lines], names: Names) -> tuple[list[Line], list[Parameter]]:
    rows = [[hole for line in lines for hole in holes(line.code)] for lines in uses]
    filled, parameters = choose_arguments(rows, {}, names.taken)
    for parameter in parameters:
        names.fresh(parameter.name)
    chosen = iter(filled)

    def change(hole: Hole) -> Code:
        item = next(chosen)
        return code(hole) if item is None else item.code("")

    lines = [replace(line, code=replaced(line.code, change)) for line in _commented(uses)]
    return lines, parameters


def _switched(uses: Sequence[Lines], name: str) -> list[Line]:
    found: list[Line] = []
    for number, lines in enumerate(uses):
        head = f"if {name} == {number}:" if not number else f"elif {name} == {number}:"
        found.append(Line(code("else:" if number == len(uses) - 1 else head)))
        found += [replace(line, indent=line.indent + 4) for line in lines]
    return found
