"""Sizes inside a block: expressions over the axes of its own inputs.

The types in a graph use the symbols of the whole network: a block in the middle has the input `[B,
64, H//2, W//2]`. Generated code can only read the shapes of the inputs of a block. So every axis of
the inputs gets a local symbol, and the dimensions inside are rewritten over these; sizes that the
inputs do not determine are passed by callers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from archspec.frozen import frozen
from archspec.types.atoms import Extreme, FloorDiv
from archspec.types.dim import Dim, dim, extreme
from archspec.types.monomial import Atom
from archspec.types.tensor import TensorType

Spelling: TypeAlias = Callable[[str], str]
"""The variable for a symbol. Different symbols have different variables."""


@frozen
class Axis:
    """The place of a local symbol: axis `axis` of input `input`."""

    input: int
    axis: int


@dataclass
class Locals:
    """Local symbols of one block.

    `known` has the outer dimension of each local symbol; `where` the axis that it is read from.
    `extra` are symbols of the network that no input determines: callers pass them. `spell` returns
    the variable for a symbol of the network.
    """

    known: dict[str, Dim] = field(default_factory=dict)
    where: dict[str, Axis] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    spell: Spelling = str
    defined: dict[str, str] = field(default_factory=dict)
    """The entries of `known` that the body defines by expressions: their names in the body."""
    _memo: dict[Dim, Dim | None] = field(default_factory=dict)

    def define(self, variable: str, name: str, size: Dim) -> None:
        """Add a size with a name in the body, as a variable."""
        self.known[variable] = size
        self.defined[variable] = name
        self._memo.clear()

    def rewrite(self, size: Dim) -> Dim:
        """`size` over local symbols; those that no input determines are added to `extra`."""
        found = self.find(size)
        while found is None:
            missing = next(name for name in sorted(size.symbols) if name not in self.extra)
            self.extra.append(missing)
            self._memo.clear()
            found = self.find(size)
        return found

    def extra_name(self, name: str) -> str:
        """The local name of a symbol that the caller passes."""
        base = name.rstrip("_")
        behind = [len(known) - len(base) for known in self.known if known.rstrip("_") == base]
        return f"{name}{'_' * (max(behind) + 1)}" if behind else self.spell(name)

    def find(self, size: Dim) -> Dim | None:
        """`size` over local symbols, or None."""
        if size not in self._memo:
            self._memo[size] = self._solve(size)
        return self._memo[size]

    def _solve(self, size: Dim) -> Dim | None:
        if size.constant is not None:
            return size
        for name, known in self.known.items():
            if known == size:
                return Dim.symbol(name)
        if not size.symbols.isdisjoint(self.extra):  # rather over an axis than over what is passed
            for name, known in self.known.items():
                number = (size - known).constant
                if number is not None:
                    return Dim.symbol(name) + number
        direct = self._by_atoms(size)
        if direct is not None:
            return direct
        for name, known in self.known.items():
            rest = self._reduced(size, name, known)
            if rest is not None:
                return rest
        return None

    def _by_atoms(self, size: Dim) -> Dim | None:
        """Rewrite each symbol and division separately."""
        total = dim(0)
        for monomial, factor in size.terms:
            found = self._multiple(monomial, factor)
            if found is None:
                found = dim(factor)
                for atom in monomial:
                    part = self._atom(atom)
                    if part is None:
                        return None
                    found = found * part
            total = total + found
        return total

    def _multiple(self, monomial: tuple[Atom, ...], factor: int) -> Dim | None:
        """A term that is a multiple of a size, first of those with a name in the body."""
        for name in (*self.defined, *self.known):
            terms = self.known[name].terms
            if len(terms) == 1 and terms[0][0] == monomial and factor % terms[0][1] == 0:
                return Dim.symbol(name) * (factor // terms[0][1])
        return None

    def _atom(self, atom: Atom) -> Dim | None:
        if isinstance(atom, str):
            return self._symbol(atom)
        exact = Dim({(atom,): 1})
        for local, known in self.known.items():
            if known == exact:
                return Dim.symbol(local)
        return self._division(atom) if isinstance(atom, FloorDiv) else self._extreme(atom)

    def _extreme(self, atom: Extreme) -> Dim | None:
        left, right = (self.find(side) for side in atom.sides)
        return None if left is None or right is None else extreme(atom.name, left, right)

    def _symbol(self, name: str) -> Dim | None:
        """A symbol of the network from an axis that is linear in it."""
        if name in self.extra:
            return Dim.symbol(self.extra_name(name))
        for local, known in self.known.items():
            factor = dict(known.terms).get((name,))
            if factor is None or known.symbols != {name} or len(known.terms) > 2:
                continue
            if (known - Dim.symbol(name) * factor).constant is None:
                continue
            return (Dim.symbol(local) - known.constant_term) // factor if factor > 0 else None
        return None

    def _division(self, atom: FloorDiv) -> Dim | None:
        """`(n + c) // q` from an axis that is `n`, or `(n + k) // p` where p divides q and c - k.

        The second holds because `((n + k) // p + j) // m == (n + k + j * p) // (p * m)`.
        """
        inner = self._by_atoms(atom.numerator)
        if inner is not None:
            return inner // atom.divisor
        for local, known in self.known.items():
            found = _from_division(atom, known, Dim.symbol(local))
            if found is not None:
                return found
        return None

    def _reduced(self, size: Dim, name: str, known: Dim) -> Dim | None:
        """`size = factor * known + rest` if the rest can be expressed: for products of sizes."""
        lead, lead_factor = known.terms[0]
        if len(lead) < 2:
            return None
        factor = dict(size.terms).get(lead)
        if factor is None or factor % lead_factor:
            return None
        rest = self._solve(size - known * (factor // lead_factor))
        return None if rest is None else rest + Dim.symbol(name) * (factor // lead_factor)


def _from_division(atom: FloorDiv, known: Dim, local: Dim) -> Dim | None:
    """`atom` in terms of `local`, which is `known`, a division plus a constant."""
    base = known - known.constant_term
    if len(base.terms) != 1 or base.terms[0][1] != 1 or len(base.terms[0][0]) != 1:
        return None
    (inner,) = base.terms[0][0]
    if not isinstance(inner, FloorDiv) or atom.divisor % inner.divisor:
        return None
    shift = (atom.numerator - inner.numerator).constant
    if shift is None or shift % inner.divisor:
        return None
    steps = shift // inner.divisor - known.constant_term
    return (local + steps) // (atom.divisor // inner.divisor)


def localise(
    uses: Sequence[Sequence[TensorType]],
    spell: Spelling = str,
    names: Sequence[Mapping[str, object]] = (),
    preferred: Mapping[tuple[int, int], str] = MappingProxyType({}),
) -> list[Locals]:
    """Local symbols for the axes of the inputs that are not numbers, for each use of a block.

    A mode is a use, too. All uses have the same symbols for the same axes, so that equal code is
    written equally. Two axes have one symbol if they are equal in each use. `spell` returns the
    variable for a symbol of the network; `names` has, for each use, the names of sizes in its body:
    an axis has that name if possible. `preferred` has symbols for axes by the index of the input
    and that of the axis, which they get if these are not taken.
    """
    result = [Locals(spell=spell) for _ in uses]
    taken: set[str] = set()
    wanted = _bare(uses[0]) | {*preferred.values()}
    for index, types in enumerate(zip(*uses, strict=True)):
        for axis in range(min(type_.rank for type_ in types)):
            sizes = [type_.shape[axis] for type_ in types]
            if all(size.constant is not None for size in sizes) or _is_known(sizes, result):
                continue
            size = next(size for size in sizes if size.constant is None)
            name = preferred.get((index, axis), "")
            if not name or name in taken:
                name = _called(sizes, names, taken, spell) or _name(size, taken, wanted, spell)
            taken.add(name)
            for one, found in zip(sizes, result, strict=True):
                found.known[name] = one
                found.where[name] = Axis(index, axis)
    return result


def _called(
    sizes: Sequence[Dim], names: Sequence[Mapping[str, object]], taken: set[str], spell: Spelling
) -> str:
    """The common name of these sizes in the bodies of all uses; empty if there is none."""
    for name in names[0] if names else ():
        same = all(one.get(name) == size for one, size in zip(names, sizes, strict=True))
        if same and spell(name) not in taken:
            return spell(name)
    return ""


def _is_known(sizes: Sequence[Dim], found: Sequence[Locals]) -> bool:
    """Whether one symbol already has these values, in each use."""
    return any(
        all(item.known[name] == size for size, item in zip(sizes, found, strict=True))
        for name in found[0].known
    )


def _bare(inputs: Iterable[TensorType]) -> frozenset[str]:
    """Symbols that are alone on some axis; they keep their names."""
    found: set[str] = set()
    for type_ in inputs:
        for size in type_.shape:
            if len(size.symbols) == 1 and size == Dim.symbol(next(iter(size.symbols))):
                found |= size.symbols
    return frozenset(found)


def _name(size: Dim, taken: set[str], wanted: frozenset[str], spell: Spelling) -> str:
    symbols = sorted(size.symbols)
    if len(symbols) == 1:
        name = spell(symbols[0])
        if size == Dim.symbol(symbols[0]) and name not in taken:
            return name
        if name not in taken and name not in wanted:
            return name
    else:
        name = "N"
    number = 2
    while f"{name}{number}" in taken or f"{name}{number}" in wanted:
        number += 1
    if name not in taken and name not in wanted:
        return name
    return f"{name}{number}"
