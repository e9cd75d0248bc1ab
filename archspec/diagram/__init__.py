"""Drawings of networks."""

from archspec.diagram.draw import draw, drawing, illustration
from archspec.diagram.render import layout

__all__ = ["draw", "drawing", "illustration", "layout"]
