"""Values of attributes, sizes, types and conditions as JSON, and back.

A value that JSON has is itself; any other is an object with one key, the name of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, TypeAlias

from archspec.frozen import frozen
from archspec.ops.base import Op
from archspec.ops.registry import all_ops
from archspec.types.atoms import Extreme, FloorDiv
from archspec.types.condition import All, AnyOf, Comparison, Condition, Relation
from archspec.types.dim import Dim
from archspec.types.initialiser import INITIALISERS, Initialiser
from archspec.types.monomial import Atom
from archspec.types.tensor import DType, TensorType

Json: TypeAlias = "dict[str, Any] | list[Any] | str | int | float | bool | None"


class NotReadable(ValueError):
    """The JSON is not a network; the message gives the reason."""


@frozen
class Shown:
    """An argument that is not a number or string, such as a layer, as displayed text."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def dump(value: object) -> Json:
    """A value of an attribute or argument. Other kinds of values are stored as displayed."""
    if value is None or isinstance(value, bool) or type(value) in (str, int):
        return value  # type: ignore[return-value]
    if type(value) is float:
        return value if isfinite(value) else {"float": repr(value)}
    if isinstance(value, list):
        return [dump(item) for item in value]
    for kind, test in _KINDS.items():
        if isinstance(value, test):
            return {kind: _DUMPS[kind](value)}
    return {"shown": str(value)}


def load(value: Json) -> Any:
    """Read a value. Raises NotReadable for invalid data."""
    if isinstance(value, list):
        return [load(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    if kind not in _LOADS:
        raise NotReadable(f"there are no values of the kind `{kind}`")
    return _LOADS[kind](held)


def dump_op(op: Op) -> Json:
    """An op with its attributes, except those with their default."""
    return {"name": op.name, **_fields(op)}


def load_op(value: Mapping[str, Any]) -> Op:
    """Read an op. Raises NotReadable for an unknown op."""
    name = value["name"]
    if name not in all_ops():
        raise NotReadable(f"there is no op `{name}`")
    fields = {key: load(item) for key, item in value.items() if key != "name"}
    return all_ops()[name](**fields)


def _fields(model: Op | Initialiser) -> dict[str, Json]:
    return {
        name: dump(getattr(model, name))
        for name, item in type(model).model_fields.items()
        if item.is_required() or not _is_default(getattr(model, name), item)
    }


def _is_default(value: object, item: Any) -> bool:
    default = item.get_default(call_default_factory=True)
    return type(value) is type(default) and bool(value == default)


def dump_dim(size: Dim) -> Json:
    """A size: a number, or its terms."""
    if size.constant is not None:
        return size.constant
    return [[factor, *map(_atom, monomial)] for monomial, factor in size.terms]


def _atom(atom: Atom) -> Json:
    if isinstance(atom, FloorDiv):
        return {"floor": dump_dim(atom.numerator), "by": atom.divisor}
    if isinstance(atom, Extreme):
        return {atom.name: [dump_dim(side) for side in atom.sides]}
    return atom


def load_dim(value: Any) -> Dim:
    """Read a size. Raises NotReadable for invalid data."""
    if isinstance(value, int):
        return Dim.constant_of(value)
    if not isinstance(value, list):
        raise NotReadable(f"{value!r} is not a size")
    return sum((_load_term(*term) for term in value), Dim.constant_of(0))


def _load_term(factor: int, *atoms: Any) -> Dim:
    if not isinstance(factor, int):
        raise NotReadable(f"{factor!r} is not a factor of a size")
    return Dim({tuple(map(_load_atom, atoms)): factor})


def _load_atom(value: Any) -> Atom:
    if isinstance(value, str):
        return value
    if "floor" in value:
        return FloorDiv(load_dim(value["floor"]), value["by"])
    ((name, (left, right)),) = value.items()
    return Extreme(name, (load_dim(left), load_dim(right)))


def dump_type(kind: TensorType) -> Json:
    """A type: its element type, then its sizes."""
    return [str(kind.dtype), *map(dump_dim, kind.shape)]


def load_type(value: Any) -> TensorType:
    """Read a type."""
    dtype, *shape = value
    return TensorType(DType(dtype), tuple(map(load_dim, shape)))


def dump_condition(condition: Condition) -> Json:
    """A condition on sizes."""
    if isinstance(condition, Comparison):
        return {str(condition.relation): dump_dim(condition.expression)}
    parts: Json = [dump_condition(part) for part in condition.parts]
    return {"all" if isinstance(condition, All) else "any": parts}


def load_condition(value: Any) -> Condition:
    """Read a condition."""
    ((kind, held),) = value.items()
    if kind not in ("all", "any"):
        return Comparison(load_dim(held), Relation(kind))
    parts = tuple(map(load_condition, held))
    return All(parts) if kind == "all" else AnyOf(parts)


_KINDS: Mapping[str, type] = {
    "tuple": tuple,
    "dim": Dim,
    "dtype": DType,
    "initialiser": Initialiser,
    "op": Op,
}

_DUMPS: Mapping[str, Callable[[Any], Json]] = {
    "tuple": lambda value: [dump(item) for item in value],
    "dim": dump_dim,
    "dtype": str,
    "initialiser": lambda value: {"name": value.name, **_fields(value)},
    "op": dump_op,
}


def _load_initialiser(value: Mapping[str, Any]) -> Initialiser:
    fields = {key: load(item) for key, item in value.items() if key != "name"}
    if value["name"] not in INITIALISERS:
        raise NotReadable(f"there is no initialiser `{value['name']}`")
    return INITIALISERS[value["name"]](**fields)


_LOADS: Mapping[str, Callable[[Any], Any]] = {
    "tuple": lambda value: tuple(load(item) for item in value),
    "float": float,
    "dim": load_dim,
    "dtype": DType,
    "initialiser": _load_initialiser,
    "op": load_op,
    "shown": Shown,
}
