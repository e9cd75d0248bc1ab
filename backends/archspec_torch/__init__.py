"""The torch backend: a network as readable PyTorch source, and as a live module."""

from __future__ import annotations

from archspec_torch.backend import BACKEND

__all__ = ["BACKEND"]
