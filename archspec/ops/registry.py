"""All primitive ops by name, found by looking into this package and at entry points."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType

import archspec.ops
from archspec.ops.base import Op


def _own_modules() -> Iterator[ModuleType]:
    for module in pkgutil.iter_modules(archspec.ops.__path__):
        yield importlib.import_module(f"archspec.ops.{module.name}")


def _foreign_modules() -> Iterator[ModuleType]:
    for point in entry_points(group="archspec.ops"):
        yield point.load()


def _ops_in(module: ModuleType) -> Iterator[type[Op]]:
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__
        if own and issubclass(value, Op) and value.name:
            yield value


@cache
def all_ops() -> Mapping[str, type[Op]]:
    """Every op by its name. Raises ValueError when two ops have the same name."""
    found: dict[str, type[Op]] = {}
    for module in (*_own_modules(), *_foreign_modules()):
        for op in _ops_in(module):
            if op.name in found:
                raise ValueError(f"two ops are named {op.name}: {found[op.name]} and {op}")
            found[op.name] = op
    return MappingProxyType(found)
