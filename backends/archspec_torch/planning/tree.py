"""The tree of names below a block: leaves are modules and parameters, branches are containers.

A branch whose layers run one after the other is an `nn.Sequential`; one with the children 0, 1,
2, ... an `nn.ModuleList`; any other an `nn.ModuleDict`, or a `Scope` where names or parameters
rule that out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.graph.codegen.chains import chains, is_inside, nodes_below
from archspec.graph.codegen.identifiers import is_numbered
from archspec.graph.model import Graph, Node, Port
from archspec.graph.names import prefixes
from archspec.graph.units import Owned, Unit
from archspec_torch.code.names import MAPPING_NAMES, SEQUENTIAL_NAMES, attribute, is_identifier
from archspec_torch.code.text import literal
from archspec_torch.reserved import MODULE_NAMES


class Kind(Enum):
    """The kind of a branch in the code."""

    MODULE = "module"  # a leaf that is a module
    PARAMETER = "parameter"  # a leaf that is a parameter or buffer itself
    SEQUENTIAL = "sequential"
    LIST = "list"
    MAPPING = "mapping"
    SCOPE = "scope"
    GIVEN = "given"  # a part of a module, created by that module


@dataclass
class Branch:
    """One component of a path. `owned` is the instance at exactly this path."""

    name: str
    path: str
    owned: Owned | None = None
    children: dict[str, Branch] = field(default_factory=dict)
    kind: Kind = Kind.SCOPE
    access: str = "self"  # code that reads it
    inside: Branch | None = None  # the tree inside of a module
    is_extended: bool = False  # whether callers of the unit add further children here

    def kinds(self) -> Iterator[tuple[str, Kind]]:
        """The paths and kinds of all branches, this one included."""
        yield self.path, self.kind
        for child in self.children.values():
            yield from child.kinds()

    def leaves(self) -> Iterator[Branch]:
        """All branches with an owner, this one included."""
        if self.owned is not None:
            yield self
        for child in self.children.values():
            yield from child.leaves()


@frozen
class Facts:
    """Properties of instances for the tree, by their keys.

    Those that can be in a Sequential, those that need no module outside of one, and those that are
    parameters themselves. `inside` returns the tree inside of an instance; `extended` are the paths
    of containers to which callers add children, `apart` those of layers that are called one by one.
    """

    chainable: frozenset[str]
    stateless: frozenset[str]
    parameters: frozenset[str]
    inside: Callable[[Owned], Branch | None]
    extended: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()


Parts: TypeAlias = "tuple[tuple[Branch, str], ...]"
"""The contents of a module at some path: branches of the trees of units, with their code."""


def build_tree(unit: Unit, facts: Facts) -> Branch:
    """The tree of a unit, with kinds and accessors."""
    runs = chains(unit, facts.chainable, SEQUENTIAL_NAMES.isdisjoint) - facts.apart
    for path in facts.extended:
        runs -= {path, *prefixes(path)}
    root = _planted(unit, facts, runs)
    while alone := {path for path in _outermost_names(root) if path in runs}:
        runs -= alone
        root = _planted(unit, facts, runs)
    _settle(root, facts, runs, ())
    return root


def _planted(unit: Unit, facts: Facts, runs: frozenset[str]) -> Branch:
    """The branches of a unit: layers without state are in it if they are inside of a run."""
    root = Branch("", "")
    for owned in unit.owned:
        if owned.key not in facts.stateless or is_inside(owned.key, runs):
            _insert(root, owned)
    return root


def _outermost_names(branch: Branch) -> Iterator[str]:
    """The outermost containers with a single layer that has a name: they only give it a prefix.

    Items of a list are not among them, because TorchScript compiles these as modules.
    """
    for child in branch.children.values():
        if child.owned is not None or child.name.isdigit():
            continue
        if len(child.children) > 1 or any(name.isdigit() for name in child.children):
            continue
        yield child.path
        yield from _outermost_names(child)


def is_sequence(unit: Unit, facts: Facts) -> bool:
    """Whether a unit only runs modules in sequence, each once.

    In the class of such a network all of them are children, in order, for tools that iterate over
    these, such as torchvision's `IntermediateLayerGetter`.
    """
    keys = [owned.key for owned in unit.owned]
    names = {key.split(".")[0] for key in keys}
    whole = set(keys) <= facts.chainable and MODULE_NAMES.isdisjoint(names)
    if any(prefix in keys for key in keys for prefix in prefixes(key)):
        return False
    return whole and all(_is_chain(graph, keys) for graph in unit.all_graphs)


def _is_chain(graph: Graph, keys: Sequence[str]) -> bool:
    first, *nodes = graph.nodes
    if not first.is_input or len(graph.output_ports) != 1:
        return False
    found = []
    for before, node in pairwise([first, *nodes]):
        if node.instance is None or node.inputs != (Port(before.id),) or len(node.types) != 1:
            return False
        found.append(node.instance.key)
    return found == [*keys] and graph.output_ports[0] == Port(graph.nodes[-1].id)


def sequences(root: Branch, graph: Graph) -> Mapping[int, tuple[Branch, tuple[Node, ...]]]:
    """For the first node of each Sequential of a graph, its branch and all of its nodes."""
    below = nodes_below(graph)
    found: dict[int, tuple[Branch, tuple[Node, ...]]] = {}
    for branch in _outermost(root):
        nodes = below.get(branch.path)
        if nodes:
            found[nodes[0].id] = (branch, tuple(nodes))
    return found


def _insert(root: Branch, owned: Owned) -> None:
    branch = root
    for name in owned.key.split("."):
        path = f"{branch.path}.{name}" if branch.path else name
        branch = branch.children.setdefault(name, Branch(name, path))
    branch.owned = owned


def _settle(branch: Branch, facts: Facts, runs: frozenset[str], given: Parts) -> None:
    """Set kinds and accessors, from the root on. `given` is what already exists at its path."""
    branch.kind = Kind.GIVEN if given else _kind(branch, facts, runs)
    branch.is_extended = branch.path in facts.extended
    if branch.kind is Kind.MODULE and branch.owned is not None:
        branch.inside = facts.inside(branch.owned)
        given = ((branch.inside, branch.access),) if branch.inside is not None else ()
    sequential = branch.kind in (Kind.SEQUENTIAL, Kind.LIST)
    by_place = sequential and is_numbered(branch.children.keys())
    for child in branch.children.values():
        parts = _parts(given, child.name)
        if parts:
            child.access = _reading(*parts[0])
        elif by_place:
            child.access = f"{branch.access}[{int(child.name)}]"
        elif branch.kind is Kind.MAPPING and not is_identifier(child.name):
            child.access = f"{branch.access}[{literal(child.name)}]"
        else:
            child.access = attribute(branch.access, child.name)
        _settle(child, facts, runs, parts)


def _parts(given: Parts, name: str) -> Parts:
    """The parts with this name, and their contents."""
    found = [(one.children[name], own) for one, own in given if name in one.children]
    inside = [(one.inside, _reading(one, own)) for one, own in found if one.inside is not None]
    return (*found, *inside)


def _reading(part: Branch, own: str) -> str:
    """Code that reads a branch of the tree of a unit, where `own` is a module of its class."""
    return part.access.replace("self", own, 1)


def _kind(branch: Branch, facts: Facts, runs: frozenset[str]) -> Kind:
    if branch.owned is not None:
        return Kind.PARAMETER if branch.path in facts.parameters else Kind.MODULE
    if branch.path in runs:
        return Kind.SEQUENTIAL
    parameters = any(
        child.owned is not None and child.path in facts.parameters
        for child in branch.children.values()
    )
    if parameters or not branch.path:
        return Kind.SCOPE
    if branch.path in facts.extended:
        return Kind.SCOPE
    if [*branch.children] == [str(number) for number in range(len(branch.children))]:
        return Kind.LIST
    return Kind.SCOPE if MAPPING_NAMES & branch.children.keys() else Kind.MAPPING


def _outermost(branch: Branch) -> Iterator[Branch]:
    if branch.kind is Kind.SEQUENTIAL:
        yield branch
        return
    for child in branch.children.values():
        yield from _outermost(child)
