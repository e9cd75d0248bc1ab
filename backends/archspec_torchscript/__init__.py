"""The torchscript backend: a network scripted and saved."""

from __future__ import annotations

from archspec_torchscript.backend import BACKEND

__all__ = ["BACKEND"]
