"""Patterns of nodes, and rules for their replacement.

Rule( "permutations that cancel each other", Pattern(where=reorders, inputs=(Pattern(where=reorders,
name="first", read_once=True),)), lambda match: match.inside["first"].node.inputs[0] if
undone(match) else None, )

A rule changes nothing if its pattern does not match, or if it returns None.
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
    """An op in a graph that is being edited."""

    edit: Edit
    node: Node
    op: Op

    @property
    def types(self) -> tuple[TensorType, ...]:
        """Types of its inputs; captures of its layers come last."""
        return tuple(self.edit.type_of(port) for port in self.node.inputs)

    @property
    def owns(self) -> bool:
        """Whether it has weights or buffers."""
        return bool(self.op.parameters(*self.types))


def _always(site: Site) -> bool:
    return True


@frozen
class Pattern:
    """A node with one output whose op satisfies a condition, and whose inputs match patterns.

    `op` is a class of ops or None for any, and `where` tests more of the op at its place, such as
    its traits. `inputs` are patterns of the sources of its first inputs, None for any. With
    `read_once`, only matched nodes read it. `name` is its name in the match.
    """

    op: type[Op] | None = None
    where: Callable[[Site], bool] = _always
    inputs: tuple[Pattern | None, ...] = ()
    read_once: bool = False
    name: str = ""


@frozen
class Match:
    """A match of a pattern; `inside` are the other matched nodes, by their names."""

    site: Site
    inside: Mapping[str, Site]

    @property
    def edit(self) -> Edit:
        """The graph that is being edited."""
        return self.site.edit


Replacement: TypeAlias = Callable[[Match], "Port | None"]
"""The port that replaces the match, or None. It may insert nodes by `match.edit`."""


@frozen
class Rule:
    """Replaces a match of `pattern` by the port from `becomes`, with the same type and value."""

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
