"""Monomials of symbolic dimensions: sorted products of atoms, symbols first."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from archspec.types.atoms import Extreme, FloorDiv

Atom: TypeAlias = "str | FloorDiv | Extreme"

Monomial: TypeAlias = "tuple[Atom, ...]"
"""A product of atoms, sorted; the empty product is 1."""


def _atom_key(atom: Atom) -> tuple[int, str, int]:
    if isinstance(atom, str):
        return (0, atom, 0)
    return (1, atom.text, atom.divisor) if isinstance(atom, FloorDiv) else (2, atom.text, 0)


@lru_cache(maxsize=1 << 15)
def _monomial_key(monomial: Monomial) -> tuple[int, list[tuple[int, str, int]]]:
    return (-len(monomial), [_atom_key(atom) for atom in monomial])


def term_key(term: tuple[Monomial, int]) -> tuple[int, list[tuple[int, str, int]]]:
    """The sort key for the terms of a sum: larger products first."""
    return _monomial_key(term[0])


def joined(left: Monomial, right: Monomial) -> Monomial:
    """The product of two monomials, neither of them 1."""
    if isinstance(left[-1], str) and isinstance(right[-1], str):  # symbols only
        return tuple(sorted(left + right))  # type: ignore[type-var]
    return tuple(sorted(left + right, key=_atom_key))
