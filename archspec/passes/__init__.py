"""Transformations of graphs: inlining blocks, removing unused parts, extracting a column."""
