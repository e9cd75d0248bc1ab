"""Patterns of nodes, and rules that say what stands in their place.

    Rule(
        "two orders of axes that undo one another",
        Pattern(where=reorders, inputs=(Pattern(where=reorders, name="first", read_once=True),)),
        lambda match: match.inside["first"].node.inputs[0] if undone(match) else None,
    )

A rule changes nothing where its pattern does not match, or where it yields None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.edit import Edit
from archspec.graph.model import Node, Port
from archspec.ops.base import Op
from archspec.types.tensor import TensorType


@frozen
class Site:
    """An op where it stands, in a graph that is being changed."""

    edit: Edit
    node: Node
    op: Op

    @property
    def types(self) -> tuple[TensorType, ...]:
        """Types of its inputs, captures of its layers last."""
        return tuple(self.edit.type_of(port) for port in self.node.inputs)

    @property
    def owns(self) -> bool:
        """Whether it has weights or buffers."""
        return bool(self.op.parameters(*self.types))


def _always(site: Site) -> bool:
    return True


@frozen
class Pattern:
    """A node of one output whose op is as asked, and whose inputs come from such nodes.

    `op` is a class of ops or None for any, and `where` asks more of the op where it stands, such as
    its traits. `inputs` are patterns of what yields its first inputs, None for anything. With
    `read_once` nothing but what is matched reads it. `name` is that by which a match knows it.
    """

    op: type[Op] | None = None
    where: Callable[[Site], bool] = _always
    inputs: tuple[Pattern | None, ...] = ()
    read_once: bool = False
    name: str = ""


@frozen
class Match:
    """Where a pattern was found; `inside` are the other nodes that it matches, by their names."""

    site: Site
    inside: Mapping[str, Site]

    @property
    def edit(self) -> Edit:
        """The graph that is being changed."""
        return self.site.edit


Replacement: TypeAlias = Callable[[Match], "Port | None"]
"""What is to be read in place of what was matched, or None. It may insert nodes by `match.edit`."""


@frozen
class Rule:
    """What matches `pattern` becomes what `becomes` yields, of the same type and the same value."""

    name: str
    pattern: Pattern
    becomes: Replacement


def matched(edit: Edit, pattern: Pattern, node: Node) -> Match | None:
    """The match of a pattern at a node, if there is one."""
    inside: dict[str, Site] = {}
    stack: list[tuple[Pattern, Node]] = [(pattern, node)]
    root: Site | None = None
    while stack:
        asked, one = stack.pop()
        site = _site(edit, asked, one)
        if site is None:
            return None
        root = root or site
        if asked is not pattern:
            inside[asked.name or str(len(inside))] = site
        for inner, port in zip(asked.inputs, one.inputs, strict=False):
            if inner is not None:
                stack.append((inner, edit.node(port.node)))
    assert root is not None
    return Match(root, inside)


def _site(edit: Edit, pattern: Pattern, node: Node) -> Site | None:
    op = node.op
    if op is None or len(node.types) != 1 or len(node.inputs) < len(pattern.inputs):
        return None
    if pattern.op is not None and not isinstance(op, pattern.op):
        return None
    if pattern.read_once and len(edit.readers(Port(node.id))) != 1:
        return None
    site = Site(edit, node, op)
    return site if pattern.where(site) else None
