"""Colours by kind of op, and the fonts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FONT = "Helvetica"

FILLS: Mapping[str, str] = MappingProxyType(
    {
        "convolution": "#8fb8de",
        "linear": "#a9d1f5",
        "attention": "#f2b6a0",
        "recurrent": "#e8a7c4",
        "embedding": "#c5b3e6",
        "normalisation": "#f6e3a1",
        "activation": "#f7c99b",
        "pooling": "#b5dfb0",
        "resampling": "#9fd8cb",
        "merge": "#7f8c9a",
        "arithmetic": "#c9d1d9",
        "reduction": "#d3e2b4",
        "shape": "#e9e4dc",
        "indexing": "#dcd6cb",
        "random": "#e6d9f2",
        "source": "#f3d6de",
        "signal": "#cfe3e8",
        "control": "#f0c6c6",
    }
)
"""Fill by `Op.category`. Text on all of them but `merge` is dark."""

OTHER = "#e4e7eb"
BLOCK = "#ffffff"
INK = "#1f2933"
SOFT = "#52606d"
LINE = "#616e7c"
FRAMES = ("#f7f9fb", "#eef2f6")
"""Fills of frames, alternating with their nesting."""


def fill_of(category: str) -> str:
    """Fill of an op of this category."""
    return FILLS.get(category, OTHER)


def ink_on(fill: str) -> str:
    """Colour of text that can be read on a fill."""
    red, green, blue = (int(fill[at : at + 2], 16) for at in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
