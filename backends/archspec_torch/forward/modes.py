"""What a block does in inference and in training as one list of statements.

What both modes do is written once, and `if self.training:` stands around the rest. The statements
of a mode stay what they are, in their order, so no matter how they are matched, each mode does what
it did. TorchScript follows a variable through one `if` and not from one to the next: where a mode
makes a variable that is read behind the `if`, both stand under one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec_torch.code.lines import Line, common
from archspec_torch.code.pieces import code
from archspec_torch.code.statements import Part, joined_where_read, matched, statements_of


def both_modes(
    inference: Sequence[Line], training: Sequence[Line], arguments: Sequence[str]
) -> list[Line]:
    """The statements of both modes; `arguments` are the variables that are there before."""
    parts = matched(statements_of(inference), statements_of(training))
    return [line for part in joined_where_read(parts, set(arguments)) for line in _lines(part)]


def _lines(part: Part) -> Iterator[Line]:
    if part.shared:
        for one, two in zip(part.left, part.right, strict=True):
            for left, right in zip(one.lines, two.lines, strict=True):
                yield replace(left, comment=common([left.comment, right.comment]))
        return
    head = "if self.training:" if part.right else "if not self.training:"
    for statements in (part.right, part.left):
        if statements:
            yield Line(code(head))
            for statement in statements:
                yield from (replace(line, indent=line.indent + 4) for line in statement.lines)
            head = "else:"
