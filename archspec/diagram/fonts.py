"""Widths of texts in Helvetica, the font of drawings, whichever program makes the layout.

Arial, Liberation Sans and Arimo have the same widths.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_REGULAR = {
    191: "'",
    222: "ijl’‘",
    260: "|¦",
    278: " \u00a0!,./:;I[\\]ft",
    333: "()-`r¡¨²³´·¸¹“”",
    334: "{}",
    355: '"',
    365: "º",
    370: "ª",
    389: "*",
    400: "°",
    469: "^",
    500: "Jcksvxyz",
    537: "¶",
    549: "±÷",
    552: "¯",
    556: "#$0123456789?L_abdeghnopqu¢£¤¥§«»þ–",
    576: "µ",
    584: "+<=>~¬×",
    604: "■",
    611: "FTZ¿ßø",
    667: "&ABEKPSVXYÞ",
    722: "CDHNRUwÐ",
    737: "©®",
    778: "GOQØ",
    833: "Mm",
    834: "¼½¾",
    889: "%æ",
    944: "W",
    1000: "Æ…—→",
    1015: "@",
}
_BOLD = {
    238: "'",
    278: " \u00a0,./I\\ijl’‘",
    280: "|¦",
    333: "!()-:;[]`ft¡¨²³´·¸¹",
    365: "º",
    370: "ª",
    389: "*r{}",
    400: "°",
    474: '"',
    500: "z“”",
    549: "±÷",
    552: "¯",
    556: "#$0123456789J_aceksvxy¢£¤¥§«¶»–",
    576: "µ",
    584: "+<=>^~¬×",
    604: "■",
    611: "?FLTZbdghnopqu¿ßøþ",
    667: "EPSVXYÞ",
    722: "&ABCDHKNRUÐ",
    737: "©®",
    778: "GOQwØ",
    833: "M",
    834: "¼½¾",
    889: "%mæ",
    944: "W",
    975: "@",
    1000: "Æ…—→",
}
"""Characters by their width, in thousandths of the size of the font."""

_OTHER, _WIDE = 600, 1000
"""About the width of other characters, and of those that are as wide as high, such as Chinese."""


def _widths(groups: Mapping[int, str]) -> Mapping[str, int]:
    return {character: width for width, characters in groups.items() for character in characters}


_FACES = (_widths(_REGULAR), _widths(_BOLD))


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in points, without kerning; oblique letters are as wide as upright."""
    face = _FACES[bold]
    units = sum(face[mark] if mark in face else _unusual(mark, face) for mark in text)
    return units * size / 1000


def _unusual(character: str, face: Mapping[str, int]) -> int:
    """The width of a letter with an accent is that of the letter."""
    base = unicodedata.normalize("NFD", character)[0]
    if base in face:
        return face[base]
    if unicodedata.combining(character):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
