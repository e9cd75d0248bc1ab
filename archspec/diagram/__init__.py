"""Drawings of networks."""

from archspec.diagram.draw import draw, drawing

__all__ = ["draw", "drawing"]
