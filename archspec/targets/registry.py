"""All backends by name, found at entry points."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from archspec.diagnostics.model import CompileFailed, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.targets.base import Backend

GROUP = "archspec.backends"
OWN = ("torch", "torchscript")
"""Backends of this distribution, found beside the package in a checkout that is not installed."""


@cache
def backends() -> Mapping[str, EntryPoint]:
    """Every backend there is, not yet imported. Raises ValueError when two have one name."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        known = found.get(point.name)
        if known is not None and known.value != point.value:
            raise ValueError(f"two backends are named {point.name}: {known.value}, {point.value}")
        found[point.name] = point
    for name in OWN:
        module = f"archspec_{name}"
        if name not in found and importlib.util.find_spec(module) is not None:
            found[name] = EntryPoint(name, f"{module}:BACKEND", GROUP)
    return MappingProxyType(dict(sorted(found.items())))


def backend(name: str) -> Backend:
    """The backend of this name. Raises CompileFailed: E0801 where there is none or it is broken."""
    point = backends().get(name)
    if point is None:
        near = closest(name, backends())
        listed = ", ".join(f"`{known}`" for known in backends()) or "none"
        raise CompileFailed(
            [
                diagnostic(
                    "E0801",
                    f"there is no target `{name}`; there are {listed}",
                    fix=f"did you mean `{near}`?" if near else None,
                )
            ]
        )
    try:
        found: Backend = point.load()
    except ImportError as error:
        message = f"target `{name}` cannot be loaded: {error}"
        fix = "install what it needs, for PyTorch: pip install torch"
        raise CompileFailed([diagnostic("E0801", message, fix=fix)]) from error
    return found
