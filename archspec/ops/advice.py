"""What messages say of an op besides its attributes and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archspec.ops.doubt import Application, Doubt


class Advice:
    """Base of ops with what diagnostics say of them. An op overrides what applies to it."""

    def doubt(self, use: Application) -> Doubt | None:
        """Why this application is valid, but rarely meant; None for the usual case."""
        return None
