"""All results of a block that are only passed on to another block, together.

features = self.backbone(image)
x = self.neck(*features, H, W)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec.graph.codegen.identifiers import Names
from archspec_torch.code.lines import Line
from archspec_torch.code.pieces import Argument, Call, code
from archspec_torch.code.renaming import names_read
from archspec_torch.code.text import flat
from archspec_torch.forward.signature import return_annotation
from archspec_torch.planning.layout import Layout, Plan

FEWEST = 3
"""Minimal number of results that get one variable."""


def with_whole_results(
    layout: Layout, known: Plan, forward: list[Line], names: Names
) -> list[Line]:
    """`forward` with one variable for several results that only one call reads, in their order."""
    callees = dict(_callees(layout, known))
    for at, line in enumerate(forward):
        targets = flat(line.code).partition(" = ")[0].split(", ")
        made = line.code[-1]
        if line.indent or len(targets) < FEWEST or not isinstance(made, Call):
            continue
        callee = callees.get(made.function)
        if callee is None or not return_annotation(callee).startswith("Tuple"):
            continue  # TorchScript has to know the number of values
        readers = [*_readers(targets, forward, at)]
        if len(readers) == 1 and not forward[readers[0]].indent:
            forward = _passed(forward, at, readers[0], targets, callees, names) or forward
    return forward


def _readers(targets: Sequence[str], forward: Sequence[Line], at: int) -> Iterator[int]:
    """The lines that read a value which line `at` assigns."""
    kept = {*targets}
    for place, line in enumerate(forward[at + 1 :], at + 1):
        if names_read(line) & kept:
            yield place
        target, sign, _ = flat(line.code).partition(" = ")
        if sign and not line.indent:
            kept -= {*target.split(", ")}


def _callees(layout: Layout, known: Plan) -> Iterator[tuple[str, Layout]]:
    """The code that accesses each block, and the layout of the block."""
    for leaf in layout.tree.leaves():
        if leaf.owned is not None and leaf.owned.either.graph is not None:
            yield leaf.access, known.of(layout.unit.callee(leaf.owned.either))


def _passed(
    forward: Sequence[Line],
    at: int,
    reader: int,
    targets: list[str],
    callees: dict[str, Layout],
    names: Names,
) -> list[Line] | None:
    """The lines with the results of line `at` as one value; None if the reader uses them apart."""
    line, call = forward[reader], forward[reader].code[-1]
    if not isinstance(call, Call) or call.function not in callees:
        return None
    arguments = [flat(item.code) for item in call.arguments]
    start = arguments.index(targets[0]) if targets[0] in arguments else len(arguments)
    end = start + len(targets)
    others = Call("", (*call.arguments[:start], *call.arguments[end:]))
    if arguments[start:end] != targets or names_read(Line((others,))) & {*targets}:
        return None
    if any(item.keyword for item in call.arguments[:end]):
        return None
    inputs = [item.name for item in callees[call.function].inputs][start:end]
    base = _base(targets) or _base(inputs)
    whole = names.fresh(base) if base else ""
    if not whole or any(re.search(rf"\b{whole}\b", flat(one.code)) for one in forward):
        return None  # `names` are those of one mode
    passed = Argument(code(f"*{whole}"))
    call = replace(call, arguments=(*call.arguments[:start], passed, *call.arguments[end:]))
    changed = {
        at: replace(forward[at], code=code(f"{whole} = ", forward[at].code[-1])),
        reader: replace(line, code=(*line.code[:-1], call)),
    }
    return [changed.get(place, one) for place, one in enumerate(forward)]


def _base(numbered: Sequence[str]) -> str:
    """`maps` for `maps_0`, `maps_1`, ..; otherwise ""."""
    base = re.sub(r"_0$", "", numbered[0])
    return base if [*numbered] == [f"{base}_{at}" for at in range(len(numbered))] else ""
