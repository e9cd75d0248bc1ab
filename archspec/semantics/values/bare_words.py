"""Bare words that are neither names nor definitions: choices of attributes, and initialisers."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from archspec.ops.registry import all_ops, choice_words
from archspec.semantics.values.model import BlockLayer, Function, InitialiserName, OpLayer, Value
from archspec.types.initialiser import INITIALISERS, Initialiser
from archspec.types.tensor import DType

INITIALISER_NAMES = frozenset(INITIALISERS)


def _members(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    elif hasattr(annotation, "__metadata__"):  # Annotated[..]
        yield from _members(get_args(annotation)[0])
    elif type(annotation).__name__ == "TypeAliasType":
        yield from _members(annotation.__value__)
    else:
        yield annotation


@cache
def choices(model: type[BaseModel], attribute: str) -> frozenset[str]:
    """The words accepted by an attribute."""
    info = model.model_fields.get(attribute)
    if info is None:
        return frozenset()
    found: set[str] = set()
    for member in _members(info.annotation):
        if get_origin(member) is Literal:
            found |= {choice for choice in get_args(member) if isinstance(choice, str)}
        elif isinstance(member, type) and issubclass(member, StrEnum):
            found |= {str(choice) for choice in member}
    return frozenset(found)


def attribute_with(model: type[BaseModel], word: str) -> str | None:
    """The attribute that accepts a word, such as `parametrization`; None if there is none."""
    return next((name for name in model.model_fields if word in choices(model, name)), None)


def choice_notes(word: str) -> tuple[str, ...]:
    """A note that names an attribute with this value, and the ops that have it."""
    ops: dict[str, list[str]] = {}
    for op in all_ops().values():
        if (name := attribute_with(op, word)) is not None:
            ops.setdefault(name, []).append(f"`{op.name}`")
    return tuple(
        f"`{name}={word}` is written in the call of {', '.join(of[:4])}{', ..' * (len(of) > 4)}"
        for name, of in ops.items()
    )


@cache
def takes_initialiser(model: type[BaseModel], attribute: str) -> bool:
    """Whether an attribute is an initialiser."""
    info = model.model_fields.get(attribute)
    return info is not None and any(
        isinstance(member, type) and issubclass(member, Initialiser)
        for member in _members(info.annotation)
    )


@cache
def all_words() -> frozenset[str]:
    """All words accepted by any attribute."""
    found: set[str] = {"local", "global", "mixed", *DType, *choice_words()}
    for model in INITIALISERS.values():
        for attribute in model.model_fields:
            found |= choices(model, attribute)
    return frozenset(found)


def word_meant(words: frozenset[str], value: Value) -> Value:
    """The word meant by a layer or function of the same name; anything else unchanged.

    A word passed on, as in `b(each)`, means the block `each` of the standard library until an
    attribute accepts it as one of its `words`.
    """
    match value:
        case OpLayer(op=op, given=()):
            name = op.name
        case BlockLayer(definition=definition, given=()):
            name = definition.name
        case InitialiserName(name=name) | Function(name=name):
            pass
        case _:
            return value
    return name if name in words else value


def is_word(text: str) -> bool:
    """Whether some attribute of some op accepts this word."""
    return text in all_words()
