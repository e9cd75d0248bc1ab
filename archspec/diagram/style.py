"""Colours by kind of op, and fonts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FONT = "Arial"
"""The font of a layout, whose widths are those of Helvetica.

Graphviz would look for Helvetica itself, as the font of PostScript, and may replace it by a broader
one; for Arial it asks the system.
"""
FONTS = "Helvetica, Arial, 'Liberation Sans', Arimo, sans-serif"
"""The fonts of an SVG: some of the same widths, then any other, condensed to these widths."""

FILLS: Mapping[str, str] = MappingProxyType(
    {
        "convolution": "#7fabdb",
        "linear": "#a5e0ee",
        "attention": "#ef9f86",
        "recurrent": "#dd93bd",
        "embedding": "#b9a3e3",
        "normalisation": "#f7e595",
        "activation": "#f9c48a",
        "pooling": "#b5dfb0",
        "resampling": "#7fcbb8",
        "merge": "#5c6977",
        "arithmetic": "#bcc5cf",
        "reduction": "#cfe08f",
        "shape": "#ece4d6",
        "indexing": "#c4b08b",
        "random": "#e6d3f5",
        "source": "#fbd3dd",
        "signal": "#b6d3c8",
        "control": "#e39c9c",
    }
)
"""Fill by `Op.category`. Text on all of them but `merge` is dark."""

LEGEND: Mapping[str, str] = MappingProxyType(
    {
        "arithmetic": "",
        "merge": "merging of branches",
        "resampling": "resizing",
        "shape": "reshaping, transposition",
        "indexing": "slicing, gathering",
        "random": "dropout, noise",
        "source": "parameter, constant",
        "signal": "Fourier transform",
        "control": "control flow",
    }
)
"""Names of categories in the legend, where they have others; grey arithmetic needs none."""

OTHER = "#e4e7eb"
BLOCK = "#ffffff"
END = "#ffffff"
"""Fill of inputs and outputs."""
INK = "#1f2933"
SOFT = "#52606d"
LINE = "#616e7c"
PALE = 0.3
"""The part of a fill that is left where no output needs the result."""
PALE_LINE = "#aab4bf"
FRAMES = ("#f7f9fb", "#eef2f6")
"""Fills of frames, alternating with their nesting."""


def fill_of(category: str) -> str:
    """Fill of an op of this category."""
    return FILLS.get(category, OTHER)


def pale(fill: str) -> str:
    """The fill of what no output needs: mixed with white."""
    mixed = (round(255 - (255 - int(fill[at : at + 2], 16)) * PALE) for at in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def text_colour_on(fill: str) -> str:
    """A text colour that is readable on a fill."""
    red, green, blue = (int(fill[at : at + 2], 16) for at in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
