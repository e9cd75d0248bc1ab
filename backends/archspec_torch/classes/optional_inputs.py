"""Specialisations with different inputs as one class: `memory: Optional[Tensor] = None`.

Each specialisation first accepts the inputs of all of them, and is written again. If some cannot be
joined, those that can be accept the inputs of each other only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from archspec_torch.classes.draft import Draft
from archspec_torch.classes.variants import unified
from archspec_torch.planning.layout import Layout
from archspec_torch.planning.tree import Kind

Rewrite: TypeAlias = Callable[[Draft], Draft]

Replan: TypeAlias = Callable[[Draft], None]
"""Builds the tree of a unit again."""


def grouped(drafts: Iterable[Draft]) -> list[list[Draft]]:
    """Congruent drafts together."""
    groups: dict[str, list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(draft.skeleton(), []).append(draft)
    return list(groups.values())


def with_optional_inputs(
    drafts: Sequence[Draft], rewrite: Rewrite, replan: Replan
) -> list[list[Draft]]:
    """The drafts of a family, those of one class together; inputs of some only are optional."""
    names = _of_some([draft.layout for draft in drafts])
    written = _accepting(drafts, names, rewrite, replan)
    if not all(f"{name}: Optional[" in one.signature for one in written for name in names):
        names, written = (), _accepting(drafts, (), rewrite, replan)
    found: list[list[Draft]] = []
    for group in unified(grouped(written), rewrite):
        if not names or _of_some([draft.layout for draft in group]) == names:
            found.append(group)
        else:
            found += with_optional_inputs(group, rewrite, replan)
    return found


def _accepting(
    drafts: Sequence[Draft], names: tuple[str, ...], rewrite: Rewrite, replan: Replan
) -> Sequence[Draft]:
    """The drafts of classes in which these inputs are optional."""
    if all(draft.layout.optional == names for draft in drafts):
        return drafts
    for draft in drafts:
        draft.layout.optional, draft.layout.preferred = names, {}
        draft.layout.apart = frozenset()
        replan(draft)
    apart = _called_one_by_one([draft.layout for draft in drafts]) if names else frozenset()
    for draft in drafts if apart else ():
        draft.layout.apart = apart
        replan(draft)
    return [rewrite(draft) for draft in drafts]


def _called_one_by_one(layouts: Sequence[Layout]) -> frozenset[str]:
    """The paths of layers that run in sequence in some specialisations only."""
    kinds: dict[str, set[Kind]] = {}
    for layout in layouts:
        for path, kind in layout.tree.kinds():
            kinds.setdefault(path, set()).add(kind)
    return frozenset(
        path for path, found in kinds.items() if Kind.SEQUENTIAL in found and len(found) > 1
    )


def _of_some(layouts: Sequence[Layout]) -> tuple[str, ...]:
    """The inputs that some of these specialisations have and others do not; () if none have any.

    There have to be inputs that all of them have.
    """
    names = [[item.name for item in layout.inputs] for layout in layouts]
    every = set(names[0]).intersection(*names)
    if not every or not all(map(_is_simple, layouts)):
        return ()
    return tuple(dict.fromkeys(name for one in names for name in one if name not in every))


def _is_simple(layout: Layout) -> bool:
    """Whether it is a class with one use, and its inputs have names of their own in both modes."""
    names = [item.name for item in layout.inputs]
    is_block = not layout.root and not layout.is_function and len(layout.unit.uses) == 1
    both_modes = not any(item.optional for item in layout.inputs)
    return is_block and both_modes and len(set(names)) == len(names)
