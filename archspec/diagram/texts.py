"""The heights of texts in a layout of Graphviz."""

from __future__ import annotations

from itertools import chain

from archspec.diagram.titles import Layout

LOWER = 1.0
"""How far above the middle of its cell Graphviz writes a text, in points."""


def lower_texts(layout: Layout) -> None:
    """Move all texts to the middle of their cells."""
    for item in chain([layout], layout.get("objects", ())):
        for operation in item.get("_ldraw_", ()):
            if operation["op"] == "T":
                x, y = operation["pt"]
                operation["pt"] = [x, y - LOWER]
