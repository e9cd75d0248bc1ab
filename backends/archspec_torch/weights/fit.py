"""Comparison of a state dict with a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch

from archspec.analysis.counting import count
from archspec.analysis.parameters import EXPANSION_BUDGET, Entry, table
from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic, diagnostic
from archspec.diagnostics.suggest import closest
from archspec.graph.compiled import Compiled
from archspec.targets.weights import Weights
from archspec_torch.weights.selection import Stored, several

_SHOWN = 3  # names per kind of mismatch in a diagnostic
_LONGEST = 120  # characters of a name
_PREFIXES = 8  # prefixes tried in addition to those of all names
_LONG = 1_000  # total characters of names in which prefixes are searched for
_NEAR = 1_000  # names among which suggestions are searched for


@dataclass(frozen=True)
class _Mismatch:
    """The differences between a state dict and a network; all empty if it fits."""

    missing: tuple[Entry, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[Entry, ...]
    kinds: tuple[Entry, ...]
    untied: tuple[Entry, ...] = ()

    @property
    def count(self) -> int:
        return sum(map(len, self.sorts))

    @property
    def sorts(self) -> tuple[Sized, ...]:
        return self.missing, self.unexpected, self.shapes, self.kinds, self.untied


def fit(
    network: Compiled, given: Stored, whole: Compiled | None = None, names_only: bool = False
) -> Weights:
    """Return the tensors of a state dict that the network has, all of them, in its order.

    A prefix of the names (`module.`) is removed if they fit only without it; names without this
    prefix then belong to other modules, and are ignored. Tensors of `whole`, the network from which
    this one was extracted, are ignored. If a file has no counters, as older files, they start at
    zero. One name is enough for tied weights. With `names_only`, tensors may be on the meta device.

    Raises CompileFailed (E0842) if something is missing, surplus, or of another shape or kind, or
    if tied tensors differ.
    """
    wanted = persistent(network)
    spare = persistent(whole) if whole is not None else {}
    names = _tied(wanted)
    best: tuple[int, str, _Mismatch] | None = None
    fits: dict[str, Weights] = {}
    for prefix in _prefixes(given.tensors, wanted):
        tensors = {
            name.removeprefix(prefix): value
            for name, value in given.tensors.items()
            if name.startswith(prefix)
        }
        misfit = _compare(wanted, spare, tensors, names_only)
        if not misfit.count:
            values = {name: _value(entry, names, tensors) for name, entry in wanted.items()}
            fits[prefix] = Weights(values, given.source, _liberties(given, prefix))
            if not prefix:
                break
        elif best is None or misfit.count < best[0]:
            best = misfit.count, prefix, misfit
    if len(fits) > 1:
        raise several(given.source, [prefix.removesuffix(".") for prefix in fits])
    if fits:
        return next(iter(fits.values()))
    assert best is not None  # the first prefix is the empty one
    raise CompileFailed([_refusal(network, given, *best[1:])])


def _value(entry: Entry, names: Mapping[str, Sequence[str]], tensors: Mapping[str, Any]) -> Any:
    """The tensor of one name: its own, that of a tied name, or a new counter."""
    every = (entry.name, *names.get(entry.tied or entry.name, ()))
    found = next((name for name in every if name in tensors), None)
    return tensors[found] if found is not None else torch.zeros((), dtype=torch.int64)


def _tied(wanted: Mapping[str, Entry]) -> Mapping[str, Sequence[str]]:
    """By the name of a tensor that others are tied to, all of its names."""
    found: dict[str, list[str]] = {}
    for entry in wanted.values():
        if entry.tied:
            found.setdefault(entry.tied, [entry.tied]).append(entry.name)
    return found


def persistent(network: Compiled) -> dict[str, Entry]:
    """The state dict entries of a network; none if it is too large to be written out."""
    if count(network).tensors > EXPANSION_BUDGET:
        return {}
    return {entry.name: entry for entry in table(network) if entry.persistent}


def _prefixes(names: Iterable[str], wanted: Mapping[str, Entry]) -> Iterator[str]:
    """The empty prefix, that of all names, then those of most names of the network.

    `module.`, `module.model.`, ...
    """
    every = [*names]
    yield ""
    levels = zip(*(name.split(".")[:-1] for name in every), strict=False)
    prefix, met = "", {""}
    for parts in takewhile(lambda parts: len({*parts}) == 1, levels):
        prefix += f"{parts[0]}."
        met.add(prefix)
        yield prefix
    found = Counter(
        name[: at + 1]
        for name in every
        for at, letter in enumerate(name)
        if letter == "." and len(name) < _LONG and name[at + 1 :] in wanted
    )
    for prefix, times in found.most_common(_PREFIXES):
        if prefix not in met and 2 * times > len(wanted):
            yield prefix


def _liberties(given: Stored, prefix: str) -> tuple[str, ...]:
    notes = [f"entry `{_name(given.entry)}`"] if given.entry else []
    notes += given.changes
    if prefix:
        notes.append(f"names without `{_name(prefix)}`")
        beside = [name for name in given.tensors if not name.startswith(prefix)]
        more = f" and {len(beside) - _SHOWN:,} more" if len(beside) > _SHOWN else ""
        if beside:
            listed = ", ".join(f"`{_name(name)}`" for name in beside[:_SHOWN])
            notes.append(f"left out {listed}{more}")
    return tuple(notes)


def _compare(
    wanted: Mapping[str, Entry],
    spare: Mapping[str, Entry],
    tensors: Mapping[str, Any],
    names_only: bool,
) -> _Mismatch:
    both = [entry for name, entry in wanted.items() if name in tensors]
    shapes = tuple(entry for entry in both if entry.shape != _shape(tensors[entry.name]))
    kinds = tuple(
        entry
        for entry in both
        if _kind(tensors[entry.name], names_only) != _wanted_kind(entry) and entry not in shapes
    )
    counts = any(_is_counter(entry) for entry in both)
    names = _tied(wanted)
    missing = (
        entry
        for name, entry in wanted.items()
        if name not in tensors and (counts or not _is_counter(entry))
        if not any(other in tensors for other in names.get(entry.tied or name, ()))
    )
    unexpected = (
        name
        for name, value in tensors.items()
        if name not in wanted and (name not in spare or spare[name].shape != _shape(value))
    )
    untied = (
        entry
        for entry in both
        if entry.tied in tensors and not _equal(tensors[entry.name], tensors[entry.tied])
    )
    return _Mismatch(tuple(missing), tuple(unexpected), shapes, kinds, tuple(untied))


def _equal(one: object, two: object) -> bool:
    """Whether two tensors are equal, as far as this can be decided."""
    if not isinstance(one, torch.Tensor) or not isinstance(two, torch.Tensor):
        return True  # reported as a wrong kind
    if one is two or one.is_meta or two.is_meta or one.shape != two.shape:
        return True
    return torch.equal(one, two)


def _is_counter(entry: Entry) -> bool:
    """Whether it is a counter such as `num_batches_tracked`, which files before 2018 lack."""
    first = entry.initialiser
    is_number = not entry.learnable and entry.shape == () and entry.dtype.is_integer
    return is_number and first is not None and first.name == "zeros"


def _shape(value: object) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def _wanted_kind(entry: Entry) -> str:
    if entry.dtype.is_float:
        return "floating"
    return "integer" if entry.dtype.is_integer else {"c64": "complex"}.get(entry.dtype, entry.dtype)


def _kind(value: object, names_only: bool) -> str:
    """The kind of a tensor; within one kind, numbers are converted to those of the module."""
    if not isinstance(value, torch.Tensor):
        return type(value).__name__
    if value.is_meta and not names_only:
        return "without values"
    if value.is_quantized or value.layout is not torch.strided:
        return "quantised" if value.is_quantized else "sparse"
    if value.dtype.is_floating_point or value.dtype.is_complex:
        return "complex" if value.dtype.is_complex else "floating"
    return "bool" if value.dtype is torch.bool else "integer"


def _refusal(network: Compiled, given: Stored, prefix: str, misfit: _Mismatch) -> Diagnostic:
    sorts = {
        "missing": len(misfit.missing),
        "unexpected": len(misfit.unexpected),
        "of another shape": len(misfit.shapes),
        "of another kind": len(misfit.kinds),
        "tied but different": len(misfit.untied),
    }
    counted = ", ".join(f"{number:,} {sort}" for sort, number in sorts.items() if number)
    taken = ", ".join((given.source, *_liberties(given, prefix)))
    near = {
        found: f"`{_name(found)}` for `{_name(entry.name)}`"
        for entry in reversed(misfit.missing[:_SHOWN])
        if (found := _nearest(entry, given, prefix, misfit)) is not None
    }
    return diagnostic(
        "E0842",
        f"weights do not fit `{network.name}`: {counted}",
        network.inference.origin.span,
        notes=[f"the weights are from {taken}", *_notes(given, prefix, misfit)],
        fix=f"did you mean {', '.join(reversed(near.values()))}?" if near else _advice(misfit),
    )


def _advice(misfit: _Mismatch) -> str | None:
    """How weights that fit in part are used nevertheless."""
    if misfit.missing and not (misfit.unexpected or misfit.shapes or misfit.kinds):
        return (
            "to load only these, and keep the initial values of the others, write "
            "`module = net.to_torch()`, then `module.load_state_dict(weights, strict=False)`"
        )
    if misfit.unexpected and not (misfit.missing or misfit.shapes or misfit.kinds):
        first = _name(misfit.unexpected[0]).partition(".")[0]
        return f"to leave them out write `--ignore '{first}.*'`, `ignore=[\"{first}.*\"]` in Python"
    return None


def _notes(given: Stored, prefix: str, misfit: _Mismatch) -> Iterator[str]:
    def at(entry: Entry) -> Any:
        return given.tensors[prefix + entry.name]

    named = {
        "missing": [f"`{_name(one.name)}` {_sizes(one.shape)}" for one in misfit.missing[:_SHOWN]],
        "unexpected": [
            f"`{_name(name)}` {_sizes(_shape(given.tensors[prefix + name]))}".rstrip()
            for name in misfit.unexpected[:_SHOWN]
        ],
        "of another shape": [
            f"`{_name(one.name)}` is {_sizes(_shape(at(one)))}, not {_sizes(one.shape)}"
            for one in misfit.shapes[:_SHOWN]
        ],
        "of another kind": [
            f"`{_name(one.name)}` is {_kind(at(one), False)}, not {_wanted_kind(one)}"
            for one in misfit.kinds[:_SHOWN]
        ],
        "tied but different": [
            f"`{_name(one.name)}` and `{_name(one.tied)}`" for one in misfit.untied[:_SHOWN]
        ],
    }
    for (sort, names), total in zip(named.items(), misfit.sorts, strict=True):
        if names:
            more = len(total) - len(names)
            yield f"{sort}: {', '.join(names)}" + (f" and {more:,} more" if more else "")


def _nearest(entry: Entry, given: Stored, prefix: str, misfit: _Mismatch) -> str | None:
    """The surplus tensor that this one may be: with the same shape and a similar name."""
    last = entry.name.rpartition(".")[2]
    alike = [
        name
        for name in misfit.unexpected
        if name.rpartition(".")[2] == last and _shape(given.tensors[prefix + name]) == entry.shape
    ][:_NEAR]
    return alike[0] if len(alike) == 1 else closest(entry.name, alike)


def _name(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"


def _sizes(shape: tuple[int, ...] | None) -> str:
    return "no tensor" if shape is None else f"[{', '.join(map(str, shape))}]"
