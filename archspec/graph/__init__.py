"""The graph of a specialised block, shared by all its uses."""

from archspec.graph.model import (
    Draw,
    Graph,
    GraphOutput,
    InitRule,
    Instance,
    Node,
    Origin,
    Port,
    Region,
    Requirement,
    Structure,
    Turn,
    consumers,
    leaves,
    subgraphs,
    walk,
)

__all__ = [
    "Draw",
    "Graph",
    "GraphOutput",
    "InitRule",
    "Instance",
    "Node",
    "Origin",
    "Port",
    "Region",
    "Requirement",
    "Structure",
    "Turn",
    "consumers",
    "leaves",
    "subgraphs",
    "walk",
]
