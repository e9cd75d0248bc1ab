"""Drawings of networks."""

from archspec.diagram.depth import Depth
from archspec.diagram.draw import draw, drawing, illustration, readable
from archspec.diagram.render import layout

__all__ = ["Depth", "draw", "drawing", "illustration", "layout", "readable"]
