"""Frozen dataclasses with slots that are quick to define.

`dataclass(frozen=True, slots=True)` writes seven methods for each class and compiles each on its
own, in every process anew: for the two hundred classes that `archspec show` loads this took a
seventh of its time. Here, what is written for the fields of a class is compiled at once, and the
rest is the same for all.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make the class a frozen dataclass with slots: equality, hash and text go by its fields.

    What `dataclass(frozen=True, slots=True)` makes, but for ordering, `kw_only`, `InitVar` and
    inherited fields. Methods that the class defines, or has from a base, stay.
    """
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    names: dict[str, Any] = {"MISSING": MISSING}
    exec("\n".join([*_constructor(made, names), *_comparison(made)]), names)
    made.__init__ = names["__init__"]
    if made.__eq__ is object.__eq__:
        made.__eq__ = names["__eq__"]
        if vars(made).get("__hash__") is None:
            made.__hash__ = names["__hash__"]
    if made.__repr__ is object.__repr__:
        made.__repr__ = _text
    made.__setattr__ = made.__delattr__ = _refuse
    made.__getstate__, made.__setstate__ = _state, _restore
    return made  # type: ignore[no-any-return]


def _constructor(made: Any, names: dict[str, Any]) -> list[str]:
    """`__init__`, which writes into the slots; assignment is refused to everybody else."""
    heads, lines = ["self"], []
    for item in fields(made):
        names[f"set_{item.name}"] = getattr(made, item.name).__set__
        head, value = _argument(item, names)
        if item.init:
            heads.append(head)
        if value:
            lines.append(f"    set_{item.name}(self, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("    self.__post_init__()")
    return [f"def __init__({', '.join(heads)}):", *(lines or ["    pass"])]


def _argument(item: Field[Any], names: dict[str, Any]) -> tuple[str, str]:
    """How a field stands in the head of `__init__`, and what is written into its slot."""
    name = item.name
    if item.default is not MISSING:
        names[f"default_{name}"] = item.default
        return f"{name}=default_{name}", name if item.init else f"default_{name}"
    if item.default_factory is not MISSING:
        names[f"make_{name}"] = item.default_factory
        made = f"make_{name}()"
        return f"{name}=MISSING", f"{made} if {name} is MISSING else {name}" if item.init else made
    return name, name if item.init else ""


def _comparison(made: Any) -> list[str]:
    """`__eq__` and `__hash__` by the fields that are compared."""
    compared = [item.name for item in fields(made) if item.compare]
    mine, others = ("".join(f"{one}.{name}, " for name in compared) for one in ("self", "other"))
    return [
        "def __eq__(self, other):",
        "    if self.__class__ is not other.__class__:",
        "        return NotImplemented",
        f"    return ({mine}) == ({others})",
        "def __hash__(self):",
        f"    return hash(({mine}))",
    ]


def _refuse(self: Any, name: str, value: object = None) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _text(self: Any) -> str:
    shown = [f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _state(self: Any) -> list[Any]:
    return [getattr(self, item.name) for item in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for item, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, item.name, value)
