"""A loop over the modules of a list whose intermediate results are read later.

hidden_states: List[Tensor] = []
for i, layer in enumerate(self.layer):
    x = layer(x)
    if i in [2, 5]:
        hidden_states.append(x)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from archspec.frozen import frozen
from archspec.graph.codegen.identifiers import Names
from archspec_torch.code.lines import Line, common
from archspec_torch.code.pieces import Call, code
from archspec_torch.code.renaming import is_dead, names_read, renamed_code, with_function
from archspec_torch.code.text import flat
from archspec_torch.forward.variables import POOL, is_generic
from archspec_torch.planning.tree import Branch

INPUT = "\3"
"""Placeholder for the result of the previous module."""


@frozen
class _Calls:
    """The calls of all children, in consecutive lines from `start`, and their variables."""

    start: int
    targets: tuple[str, ...]
    first: str
    """The variable that the first child reads."""

    @property
    def end(self) -> int:
        return self.start + len(self.targets)


def with_gathered(branch: Branch, forward: list[Line], names: Names, each: str) -> list[Line]:
    """`forward` with the calls of all children of a list as a loop; empty if that is impossible.

    Each child reads the result of the one before it. Later lines read results of several of them,
    which are gathered in a list. `each` is a name for a child.
    """
    children = [child.access for child in branch.children.values()]
    found = _calls(children, forward)
    if found is None:
        return []
    rest = forward[found.end :]
    read = {name for line in rest for name in names_read(line)}
    kept = [at for at, name in enumerate(found.targets) if name in read]
    carried = _carried(found, forward)
    if len(kept) < 2 or not carried or any(_is_assigned(found.targets[at], rest) for at in kept):
        return []
    results, each = names.fresh(_base(found.targets)), names.fresh(each)
    lines = forward[found.start : found.end]
    comment = common([line.comment for line in lines])
    before = forward[: found.start]
    if _is_assigned(found.first, before):
        before = [replace(one, code=renamed_code(one.code, found.first, carried)) for one in before]
    else:
        before = [*before, Line(code(f"{carried} = {found.first}"))]
    body = renamed_code(lines[1].code, found.targets[0], carried)
    body = renamed_code(body, found.targets[1], carried)
    access = branch.access
    is_every = len(kept) == len(found.targets)
    number = "" if is_every else names.fresh("i")
    head = (
        f"for {each} in {access}:" if is_every else f"for {number}, {each} in enumerate({access}):"
    )
    loop = [
        Line(code(f"{results}: List[Tensor] = []")),
        Line(code(head)),
        replace(lines[1], code=with_function(body, children[1], each), indent=4, comment=comment),
    ]
    if not is_every:
        loop.append(Line(code(f"if {number} in {kept}:"), 4))
    loop.append(Line(code(f"{results}.append({carried})"), 4 if is_every else 8))
    for place, at in enumerate(kept):
        element = f"{results}[{place}]"
        rest = [
            replace(one, code=renamed_code(one.code, found.targets[at], element)) for one in rest
        ]
    return [*before, *loop, *rest]


def _calls(children: Sequence[str], forward: Sequence[Line]) -> _Calls | None:
    """The calls of the children, if they are consecutive, and each reads only the last result."""
    texts = [flat(line.code) for line in forward]
    starts = [at for at, text in enumerate(texts) if f" = {children[0]}(" in text]
    if len(starts) != 1 or starts[0] + len(children) > len(forward):
        return None
    targets: list[str] = []
    arguments: list[str] = []
    for child, line in zip(children, forward[starts[0] :], strict=False):
        target, _, source = flat(line.code).partition(f" = {child}(")
        is_call = isinstance(line.code[-1], Call) and line.code[-1].function == child
        if line.indent or not source or not target.isidentifier() or not is_call:
            return None
        targets.append(target)
        arguments.append(source)
    first = arguments[0].partition(",")[0].rstrip(")")
    inputs = [first, *targets[:-1]]
    patterns = {
        re.sub(rf"^{name}(?!\w)", INPUT, source)
        for name, source in zip(inputs, arguments, strict=True)
    }
    if len(patterns) > 1 or not next(iter(patterns)).startswith(INPUT):
        return None
    others = {target for target in targets if re.search(rf"\b{target}\b", next(iter(patterns)))}
    mentions = sum(any(f"{child}(" in text for child in children) for text in texts)
    is_plain = first.isidentifier() and not others and len({*targets}) == len(targets)
    return (
        _Calls(starts[0], tuple(targets), first) if is_plain and mentions == len(children) else None
    )


def _base(targets: Sequence[str]) -> str:
    """`hidden_states` for `hidden_states_0`, ..; otherwise `outputs`."""
    bases = {re.sub(r"_?\d+$", "", target) for target in targets}
    base = bases.pop() if len(bases) == 1 else ""
    return base if base and not is_generic(base) else "outputs"


def _carried(found: _Calls, forward: Sequence[Line]) -> str:
    """A variable for the current value that nothing else needs; empty if there is none."""
    start = next(
        (at for at, line in enumerate(forward) if _is_assigned(found.first, [line])), found.start
    )
    between, rest = forward[start + 1 : found.start], forward[found.end :]
    if found.first not in found.targets and not is_dead(found.first, rest):
        return ""
    for name in POOL:
        used = any(name in names_read(line) for line in between)
        if name not in found.targets and not used and is_dead(name, rest):
            return name
    return ""


def _is_assigned(name: str, lines: Sequence[Line]) -> bool:
    """Whether a line assigns to a variable, possibly with others."""
    for line in lines:
        target, sign, _ = flat(line.code).partition(" = ")
        if sign and name in re.findall(r"\w+", target):
            return True
    return False
