"""Lowerings of all ops, one file per family, found by import of all modules of this package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from archspec_torch.lowering import base
from archspec_torch.lowering.base import Lowered, Lowering, Site


@cache
def lowerings() -> Mapping[str, Lowering]:
    """All lowerings by the name of the op, including those of other packages.

    Another package registers its own with `lowers` in a module that it names under the entry
    point group `archspec_torch.lowerings`.
    """
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    for point in entry_points(group="archspec_torch.lowerings"):
        point.load()
    return MappingProxyType(base.LOWERINGS)


def unsupported() -> Mapping[str, str]:
    """Ops without a lowering, with the reason."""
    lowerings()
    return MappingProxyType(base.UNSUPPORTED)


def lower(site: Site) -> Lowered:
    """The lowering of an op. Raises KeyError for an op that has none."""
    return lowerings()[site.op.name](site)
