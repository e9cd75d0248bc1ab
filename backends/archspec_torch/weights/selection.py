"""Selection from a weights file: one entry, without some names, with names replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import torch

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import diagnostic
from archspec.diagnostics.suggest import closest, meant
from archspec.targets.weights import Taking, Weights

USUAL = (
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "network",
    "net",
    "params",
    "weights",
)
"""Where training scripts store the state dict; earlier names take precedence."""

_DEPTH = 4  # nested entries
_ENTRIES = 10_000  # entries searched
_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Stored:
    """A state dict as found; `entry` is the entry of the file that contained it.

    `changes` describes what was changed in it.
    """

    tensors: Mapping[str, Any]
    source: str
    entry: str = ""
    changes: tuple[str, ...] = ()


def selected(loaded: object, source: str, taking: Taking) -> tuple[Stored, ...]:
    """The possible state dicts in a loaded object, with the requested names.

    Raises CompileFailed: E0841 if there is none, or none of that name, E0842 if a pattern or name
    has no effect, or makes two names equal.
    """
    found = _found(loaded, source)
    if taking.entry is not None:
        found = _named(found, source, taking.entry)
    for pattern in taking.ignore:
        found = _all(found, pattern, partial(_without, pattern=pattern))
    for old, new in taking.rename:
        found = _all(found, old, partial(_renamed, old=old, new=new))
    return tuple(found)


def fitting(given: Sequence[Stored], fit: Callable[[Stored], Weights]) -> Weights:
    """The weights in the only one of several state dicts that fits.

    Raises CompileFailed: E0841 if several fit, and the errors of `fit` if none does.
    """
    if len(given) == 1:
        return fit(given[0])
    fits: list[tuple[Stored, Weights]] = []
    faults: dict[str, CompileFailed] = {}
    for item in given:
        try:
            fits.append((item, fit(item)))
        except CompileFailed as fault:
            faults[item.entry] = fault
    if len(fits) == 1:
        return fits[0][1]
    usual = [name for name in USUAL if name in faults]
    if not fits and usual:
        raise faults[usual[0]]
    raise several(given[0].source, [item.entry for item, _ in fits] or [*faults])


def several(source: str, names: Sequence[str]) -> CompileFailed:
    """The error that several state dicts are possible."""
    return _no_state_dict(
        source,
        f"several: {_listed(names)}",
        f'select one: `entry="{names[0]}"`, `--entry {names[0]}`',
    )


def _found(loaded: object, source: str) -> list[Stored]:
    """All state dicts in a loaded object: the object itself, or its entries."""
    if not isinstance(loaded, Mapping):
        raise _no_state_dict(source, f"a {type(loaded).__name__}")
    if _is_state_dict(loaded):
        return [Stored(loaded, source)]
    entries = [Stored(tensors, source, path) for path, tensors in _entries(loaded)]
    if entries:
        return entries
    if any(isinstance(value, torch.Tensor) for value in loaded.values()):
        return [Stored({str(name): value for name, value in loaded.items()}, source)]
    raise _no_state_dict(source, "a dict without tensors")


def _entries(loaded: Mapping[Any, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    stack: list[tuple[str, Mapping[Any, Any], int]] = [("", loaded, 0)]
    seen = 0
    while stack and seen < _ENTRIES:
        path, held, depth = stack.pop()
        if path and held and _is_state_dict(held):
            yield path, held
        elif depth < _DEPTH:
            inner = [
                (f"{path}.{name}" if path else name, value, depth + 1)
                for name, value in held.items()
                if isinstance(name, str) and isinstance(value, Mapping)
            ]
            stack += reversed(inner)
        seen += 1


def _named(found: Sequence[Stored], source: str, entry: str) -> list[Stored]:
    """The state dict of this entry, those inside it, or the names with this prefix."""
    there = [item for item in found if item.entry == entry]
    there = there or [item for item in found if item.entry.startswith(f"{entry}.")]
    if there:
        return there
    for item in found:
        prefix = f"{entry.removeprefix(f'{item.entry}.' if item.entry else '')}."
        inner = {
            name.removeprefix(prefix): value
            for name, value in item.tensors.items()
            if name.startswith(prefix)
        }
        if inner:
            return [Stored(inner, source, entry)]
    names = [item.entry for item in found if item.entry]
    message = f"{source} has no state dict in an entry `{entry}`"
    held = f"it has {_listed(names)}" if names else "it is one state dict, without entries"
    fix = meant(closest(entry, names))
    raise CompileFailed([diagnostic("E0841", message, notes=[held], fix=fix)])


def _all(found: Sequence[Stored], pattern: str, change: Callable[[Stored], Stored]) -> list[Stored]:
    """All state dicts after a change, which must affect at least one of them."""
    changed = [change(item) for item in found]
    if all(new is old for new, old in zip(changed, found, strict=True)):
        message = f"no name in {found[0].source} matches `{pattern}`"
        some = _listed([*found[0].tensors])
        raise CompileFailed([diagnostic("E0842", message, notes=[f"its names are {some}"])])
    return changed


def _without(item: Stored, pattern: str) -> Stored:
    kept = {name: value for name, value in item.tensors.items() if not fnmatchcase(name, pattern)}
    gone = len(item.tensors) - len(kept)
    change = f"{gone:,} {'name' if gone == 1 else 'names'} matching `{pattern}` ignored"
    return replace(item, tensors=kept, changes=(*item.changes, change)) if gone else item


def _renamed(item: Stored, old: str, new: str) -> Stored:
    made: dict[str, Any] = {}
    count = 0
    for name, value in item.tensors.items():
        other = _other_name(name, old, new)
        count += other is not None
        now = name if other is None else other
        if now in made:
            message = f"renaming `{old}` to `{new}` gives two tensors the name `{now}`"
            raise CompileFailed([diagnostic("E0842", message)])
        made[now] = value
    names = f"{count:,} {'name' if count == 1 else 'names'}"
    change = f"{names} renamed from `{old}` to `{new}`"
    if not old or not new:
        change = f"`{old}.` removed from {names}" if old else f"`{new}.` added to {names}"
    return replace(item, tensors=made, changes=(*item.changes, change)) if count else item


def _other_name(name: str, old: str, new: str) -> str | None:
    """The name with `new` instead of `old`: at its beginning, or as `*` specifies.

    None if `old` does not match. Each `*` matches any text, the same on both sides.
    """
    if "*" in old:
        found = re.fullmatch("(.*?)".join(map(re.escape, old.split("*"))), name)
        if found is None:
            return None
        texts = iter(found.groups())
        return re.sub(r"\*", lambda _: next(texts, ""), new)
    if name == old and new:
        return new
    if old and not name.startswith(f"{old}."):
        return None
    rest = name.removeprefix(f"{old}.") if old else name
    return f"{new}.{rest}" if new else rest


def _is_state_dict(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(item, torch.Tensor) for name, item in value.items()
    )


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return f"{listed} and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else listed


def _no_state_dict(source: str, what: str, fix: str | None = None) -> CompileFailed:
    message = f"{source} should hold one state dict, tensors by name, but holds {what}"
    return CompileFailed([diagnostic("E0841", message, fix=fix)])
