"""Expansion: expressions are evaluated, and layers applied to data make nodes of graphs."""
