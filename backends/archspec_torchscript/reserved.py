"""Names that TorchScript writes but cannot read again. Nothing is imported here."""

from __future__ import annotations

KEYWORDS = frozenset(
    """
    Ellipsis False None NoneType True and as assert break class continue def del elif else for
    global if import in is not or pass raise return while with
    """.split()  # noqa: SIM905  (a table)
)
"""Keywords of the language in which a scripted module is saved; it writes names as they are."""

HIDING = frozenset(
    """
    torch annotate unchecked_cast uninitialized bool isinstance range
    _c _concrete_type _initializing
    """.split()  # noqa: SIM905  (a table)
)
"""Names of that text, and of what holds a scripted module, that a part of the name would hide."""


def is_unreadable(name: str) -> bool:
    """Whether a saved module with a part of this name could not be loaded."""
    plain = name.isascii() and name.isprintable() and '"' not in name and "\\" not in name
    return not plain or name in KEYWORDS or name in HIDING
