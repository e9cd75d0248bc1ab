"""The statements of a block in both modes as one list.

Common statements are written once, the others under `if self.training:`. The statements of each
mode keep their order, so the result is right however they are matched. TorchScript does not relate
two `if` statements: if only one mode assigns a variable that is read after the `if`, both are put
under one `if`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec_torch.code.lines import Line, alternatives, common
from archspec_torch.code.pieces import code
from archspec_torch.code.statements import Part, joined_where_read, matched, statements_of
from archspec_torch.code.text import flat


def both_modes(
    inference: Sequence[Line], training: Sequence[Line], arguments: Sequence[str]
) -> list[Line]:
    """The statements of both modes; `arguments` are the variables at the beginning."""
    parts = matched(statements_of(inference), statements_of(training))
    parts = joined_where_read(_declared(parts, set(arguments)), set(arguments))
    return [line for part in parts for line in _lines(part, last=part is parts[-1])]


def _lines(part: Part, last: bool) -> Iterator[Line]:
    if part.shared:
        for one, two in zip(part.left, part.right, strict=True):
            for left, right in zip(one.lines, two.lines, strict=True):
                yield replace(left, comment=common([left.comment, right.comment]))
        return
    head = Line(code("if self.training:" if part.right else "if not self.training:"))
    training, inference = (
        [line for one in side for line in one.lines] for side in (part.right, part.left)
    )
    if last and training and _returns(training[-1]):
        yield from alternatives(head, [training])
        yield from inference
    else:
        yield from alternatives(head, [training, inference])


def _returns(line: Line) -> bool:
    return not line.indent and flat(line.code).startswith("return ")


# ---------------------------------------------------------------------- declarations


def _declared(parts: Sequence[Part], known: set[str]) -> list[Part]:
    """The parts, with tensors that only training assigns and reads later set to None before.

    So the statements in between need not be under one `if` with them.
    """
    found: list[Part] = []
    rest = [*parts]
    known = set(known)
    while rest:
        part = rest.pop(0)
        names = _kept(part, rest, known)
        if names:
            lines = [Line(code(f"{name}: Optional[Tensor] = None")) for name in names]
            declared = statements_of(lines)
            found.append(Part(declared, declared, shared=True))
            rest = [_asserting(other, names) for other in rest]
        found.append(part)
        known |= part.made() | set(names)
    return found


def _kept(part: Part, rest: Sequence[Part], known: set[str]) -> list[str]:
    """The variables that an `if` assigns for later ones, if all can be declared before it."""
    if part.shared or part.left:
        return []
    names = part.one_sided(known)
    read = {name for other in rest for one in other.statements for name in names & one.read}
    for name in read:
        makers = [one for one in part.right if name in one.made]
        plain = len(makers) == 1 and len(makers[0].lines) == 1 and makers[0].lines[0].tensors
        common_ones = [one for other in rest for one in other.left]
        if not plain or any(name in one.made | one.read for one in common_ones):
            return []
        if any(name in one.made for other in rest for one in other.right):
            return []
    return sorted(read)


def _asserting(part: Part, names: Sequence[str]) -> Part:
    """A part that asserts that these are not None before it reads them."""
    read = {name for one in part.right for name in one.read}
    lines = [Line(code(f"assert {name} is not None")) for name in names if name in read]
    if part.shared or not lines:
        return part
    return Part(part.left, [*statements_of(lines), *part.right])
