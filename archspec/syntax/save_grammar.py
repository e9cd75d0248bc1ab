"""Saves Lark's tables of `arch.lark`; run it after each change of the grammar."""

from __future__ import annotations

import io
from pathlib import Path

from archspec.syntax.grammar import GRAMMAR, SAVED, compiled, stamp


def saved(text: str) -> bytes:
    """The tables of a grammar after their stamp, as shipped."""
    file = io.BytesIO()
    compiled(text).save(file)
    return stamp(text) + file.getvalue()


if __name__ == "__main__":
    Path(SAVED).write_bytes(saved(Path(GRAMMAR).read_text("utf-8")))
