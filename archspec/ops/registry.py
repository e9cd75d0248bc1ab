"""All primitive ops by name, discovered in this package and by entry points.

The module of an op is imported when the op is first used: importing all of them would take most of
the time of `archspec show`. The names of the ops are read from the source text of the modules, so
there is no list to maintain.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from inspect import getsource
from pathlib import Path
from types import ModuleType

import archspec.ops
from archspec.ops.base import Op

_NAME = re.compile(r'^    name: ClassVar\[str\] = "([^"]+)"', re.MULTILINE)
_CHOICES = re.compile(r"\bLiteral\[([^\]]*)\]")
_WORD = re.compile(r'"(\w+)"')


@cache
def _texts() -> Mapping[str, str]:
    """Source of each module of this package."""
    folder = Path(archspec.ops.__path__[0])
    paths = sorted(folder.glob("*.py"))
    return {f"archspec.ops.{path.stem}": path.read_text(encoding="utf-8") for path in paths}


@cache
def _foreign_modules() -> tuple[ModuleType, ...]:
    return tuple(point.load() for point in entry_points(group="archspec.ops"))


class _Ops(Mapping[str, type[Op]]):
    """Ops by name; for an op that is not yet imported, only the name of its module."""

    def __init__(self, modules: Mapping[str, str], loaded: dict[str, type[Op]]) -> None:
        self._modules = modules
        self._loaded = loaded

    def __getitem__(self, name: str) -> type[Op]:
        if name not in self._loaded:
            module = importlib.import_module(self._modules[name])
            self._loaded.update((op.name, op) for op in _ops_in(module))
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


def _ops_in(module: ModuleType) -> Iterator[type[Op]]:
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__
        if own and issubclass(value, Op) and value.name:
            yield value


@cache
def all_ops() -> Mapping[str, type[Op]]:
    """Every op by its name. Raises ValueError if two ops have the same name."""
    modules: dict[str, str] = {}
    loaded: dict[str, type[Op]] = {}
    for module, text in _texts().items():
        for name in _NAME.findall(text):
            _claim(modules, name, module)
    for foreign in _foreign_modules():
        for op in _ops_in(foreign):
            _claim(modules, op.name, foreign.__name__)
            loaded[op.name] = op
    return _Ops(modules, loaded)


def _claim(modules: dict[str, str], name: str, module: str) -> None:
    if name in modules:
        raise ValueError(f"two ops are named {name}: in {modules[name]} and in {module}")
    modules[name] = module


@cache
def choice_words() -> frozenset[str]:
    """Every word that is a value of some attribute of an op, such as `half`."""
    bases = {base.__module__ for base in Op.__mro__}
    own = [text for module, text in _texts().items() if module not in bases]
    foreign = [getsource(module) for module in _foreign_modules()]
    return frozenset(
        word
        for text in (*own, *foreign)
        for choices in _CHOICES.findall(text)
        for word in _WORD.findall(choices)
    )
