"""The tree of names below a block: leaves are modules and parameters, branches are containers.

A branch whose layers run one after the other is an `nn.Sequential`; one with the children 0, 1,
2, ... an `nn.ModuleList`; any other an `nn.ModuleDict`, or a `Scope` where names or parameters
rule that out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from archspec.frozen import frozen
from archspec.graph.model import Graph, Node, Port
from archspec.graph.names import prefixes
from archspec.graph.units import Owned, Unit
from archspec_torch.code import literal
from archspec_torch.names import (
    MAPPING_NAMES,
    SEQUENTIAL_NAMES,
    attribute,
    is_identifier,
    is_numbered,
)


class Kind(Enum):
    """What a branch becomes."""

    MODULE = "module"  # a leaf that is a module
    PARAMETER = "parameter"  # a leaf that is a parameter or buffer itself
    SEQUENTIAL = "sequential"
    LIST = "list"
    MAPPING = "mapping"
    SCOPE = "scope"


@dataclass
class Branch:
    """One component of a path. `owned` is what stands exactly here."""

    name: str
    path: str
    owned: Owned | None = None
    children: dict[str, Branch] = field(default_factory=dict)
    kind: Kind = Kind.SCOPE
    access: str = "self"  # code that reads it

    def leaves(self) -> Iterator[Branch]:
        """All branches with an owner, this one included."""
        if self.owned is not None:
            yield self
        for child in self.children.values():
            yield from child.leaves()


@frozen
class Facts:
    """What the tree must know of instances, by their keys.

    Which can stand in a Sequential, which need no module unless they stand in one, and which are
    parameters themselves.
    """

    chainable: frozenset[str]
    stateless: frozenset[str]
    parameters: frozenset[str]


def build_tree(unit: Unit, facts: Facts) -> Branch:
    """The tree of a unit, with kinds and accessors."""
    root = Branch("", "")
    chains = _chain_paths(unit, facts)
    for owned in unit.owned:
        in_chain = _inside(owned.key, chains)
        if not in_chain and owned.key in facts.stateless:
            continue
        _insert(root, owned)
    _settle(root, facts, chains)
    return root


def sequences(root: Branch, graph: Graph) -> Mapping[int, tuple[Branch, tuple[Node, ...]]]:
    """For the first node of each Sequential of a graph the branch, and all of its nodes."""
    below = nodes_below(graph)
    found: dict[int, tuple[Branch, tuple[Node, ...]]] = {}
    for branch in _outermost(root):
        nodes = below.get(branch.path)
        if nodes:
            found[nodes[0].id] = (branch, tuple(nodes))
    return found


def nodes_below(graph: Graph) -> dict[str, list[Node]]:
    """For each prefix of keys the nodes whose instances stand below it."""
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.instance is not None:
            for prefix in prefixes(node.instance.key):
                found.setdefault(prefix, []).append(node)
    return found


def _insert(root: Branch, owned: Owned) -> None:
    branch = root
    for name in owned.key.split("."):
        path = f"{branch.path}.{name}" if branch.path else name
        branch = branch.children.setdefault(name, Branch(name, path))
    branch.owned = owned


def _settle(branch: Branch, facts: Facts, chains: frozenset[str]) -> None:
    """Give kinds and accessors, from the root on."""
    branch.kind = _kind(branch, facts, chains)
    sequential = branch.kind in (Kind.SEQUENTIAL, Kind.LIST)
    by_place = sequential and is_numbered(branch.children.keys())
    for child in branch.children.values():
        if by_place:
            child.access = f"{branch.access}[{int(child.name)}]"
        elif branch.kind is Kind.MAPPING and not is_identifier(child.name):
            child.access = f"{branch.access}[{literal(child.name)}]"
        else:
            child.access = attribute(branch.access, child.name)
        _settle(child, facts, chains)


def _kind(branch: Branch, facts: Facts, chains: frozenset[str]) -> Kind:
    if branch.owned is not None:
        return Kind.PARAMETER if branch.path in facts.parameters else Kind.MODULE
    if branch.path in chains:
        return Kind.SEQUENTIAL
    parameters = any(
        child.owned is not None and child.path in facts.parameters
        for child in branch.children.values()
    )
    if parameters or not branch.path:
        return Kind.SCOPE
    if [*branch.children] == [str(number) for number in range(len(branch.children))]:
        return Kind.LIST
    return Kind.SCOPE if MAPPING_NAMES & branch.children.keys() else Kind.MAPPING


# ---------------------------------------------------------------------- chains


def _chain_paths(unit: Unit, facts: Facts) -> frozenset[str]:
    """Paths of containers that are chains in every mode in which they occur."""
    taken = {owned.key for owned in unit.owned}
    wanted: dict[str, set[str]] = {}
    for owned in unit.owned:
        for prefix in prefixes(owned.key):
            wanted.setdefault(prefix, set()).add(owned.key)
    chains = {
        prefix
        for prefix, keys in wanted.items()
        if prefix not in taken and not SEQUENTIAL_NAMES & _children(prefix, keys)
    }
    for graph in unit.all_graphs:
        below, links = nodes_below(graph), _links(graph)
        for prefix in list(chains):
            nodes = below.get(prefix, [])
            keys = [node.instance.key for node in nodes if node.instance is not None]
            whole = set(keys) == wanted[prefix] and len(keys) == len(wanted[prefix])
            fits = whole and _is_chain(nodes, links, facts) and _is_grouped(keys, prefix)
            if nodes and not fits:
                chains.discard(prefix)
    return frozenset(chains)


def _children(prefix: str, keys: Iterable[str]) -> set[str]:
    """Names directly below a path."""
    return {key[len(prefix) + 1 :].split(".")[0] for key in keys}


def _links(graph: Graph) -> frozenset[int]:
    """Nodes whose one output has one reader and is no result."""
    readers = graph.consumers
    results = {port.node for port in graph.output_ports}
    return frozenset(
        node.id
        for node in graph.nodes
        if len(node.types) == 1
        and node.id not in results
        and len(readers.get(Port(node.id), ())) == 1
    )


def _is_chain(nodes: list[Node], links: frozenset[int], facts: Facts) -> bool:
    """Whether each node reads the one before it only, and nobody else reads that."""
    for at, node in enumerate(nodes):
        if node.instance is None or node.instance.key not in facts.chainable:
            return False
        if len(node.inputs) != 1 or len(node.types) != 1:
            return False
        if at and (node.inputs[0].node != nodes[at - 1].id or nodes[at - 1].id not in links):
            return False
    return True


def _is_grouped(keys: list[str], prefix: str) -> bool:
    """Whether the layers below each child stand together."""
    components = [key[len(prefix) + 1 :].split(".")[0] for key in keys]
    starts = [name for at, name in enumerate(components) if not at or components[at - 1] != name]
    return len(starts) == len(set(starts))


def _inside(key: str, chains: frozenset[str]) -> bool:
    return any(prefix in chains for prefix in prefixes(key))


def _outermost(branch: Branch) -> Iterator[Branch]:
    if branch.kind is Kind.SEQUENTIAL:
        yield branch
        return
    for child in branch.children.values():
        yield from _outermost(child)
