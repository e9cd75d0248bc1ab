"""Dotted names: of instances below a block, and of tensors below a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def join_path(*parts: str) -> str:
    """Dotted path of the parts that are not empty."""
    return ".".join(part for part in parts if part)


def prefixes(path: str) -> Iterator[str]:
    """`a` and `a.b` of `a.b.c`."""
    at = path.find(".")
    while at >= 0:
        yield path[:at]
        at = path.find(".", at + 1)


def components(keys: Iterable[str]) -> set[str]:
    """The components of dotted keys."""
    return {name for key in set(keys) for name in key.split(".")}


def name_of_value(names: str, index: int, count: int) -> str:
    """The name to which the spec binds one of `count` results of a node with these names, or ""."""
    parts = [part.strip() for part in names.split(",")]
    return parts[index] if len(parts) == count else ""
