"""Faulty lowerings, derived from right ones, and whether the comparison with formulas fails."""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch

from archspec.ops.registry import all_ops
from archspec_torch.lowering import lowerings
from archspec_torch.lowering.base import LOWERINGS, Lowered, Lowering, Site
from tests.ops.formulas.judge import (
    KINDS,
    Cases,
    bench,
    compare_drawn,
    compare_gradients,
    compare_values,
)
from tests.ops.formulas.table import Case, cases_of, references

OF_WEIGHTS = {"weight_init", "bias_init", "init"}
"""Attributes that only determine initial values, which `test_initial_values.py` tests."""

CHECKS: dict[str, Callable[[str, Cases], None]] = {
    "test_values_in_inference": partial(compare_values, training=False),
    "test_values_in_training": partial(compare_values, training=True),
    "test_gradients": compare_gradients,
    "test_statistics_of_random_values_in_training": lambda name, cases: (
        compare_drawn(name) if references()[name].drawn else None
    ),
}
"""The tests of `test_values.py`, except those of TorchScript, which would take too long."""


@contextmanager
def lowered_as(name: str, wrong: Lowering) -> Iterator[None]:
    """Replace the lowering of an op, as a context manager."""
    right = lowerings()[name]
    LOWERINGS[name] = wrong
    try:
        yield
    finally:
        LOWERINGS[name] = right


def failing(
    name: str, wrong: Lowering, cases: Cases = None, *, all_of_them: bool = False
) -> list[str]:
    """Names of the tests that fail with this lowering; the first, or all of them."""
    found = []
    with lowered_as(name, wrong):
        for test, check in CHECKS.items():
            try:
                check(name, cases)
            except Exception as fault:
                found.append(f"{test}[{name}]: {type(fault).__name__}")
                if not all_of_them:
                    break
    return found


def runs(name: str, wrong: Lowering) -> bool:
    """Whether a faulty lowering runs on all cases and gives the right types."""
    with lowered_as(name, wrong), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            built = bench(name)
            found = built.run(built.module.eval(), [one.detach() for one in built.tensors()])
            return all(
                tuple(one.shape) == tuple(size.constant for size in kind.shape)
                and one.numpy().dtype.kind == KINDS[kind.dtype]
                for use in built.uses
                for one, kind in zip(found[use.outputs], use.types, strict=True)
            )
        except Exception:
            return False


# ---------------------------------------------------------------------- types of mutants


BY_TYPES = {"reshape", "unflatten", "expand", "full", "zeros_like", "ones_like"}
"""Ops whose lowerings depend on the types or the name of the op that they are given, and so are
right for other ops, too."""


def siblings(name: str) -> Iterator[tuple[str, Lowering]]:
    """The lowerings of other ops to use in its place: those of its family first."""
    family = lowerings()[name].__module__
    for other in sorted(
        set(lowerings()) - BY_TYPES, key=lambda one: lowerings()[one].__module__ != family
    ):
        if other != name and lowerings()[other] is not lowerings()[name]:
            yield other, lowerings()[other]


def half_swapped(name: str, other: Lowering) -> Iterator[tuple[str, Lowering]]:
    """Only the function or only the module of another op."""
    right = lowerings()[name]

    def module(site: Site) -> Lowered:
        own, found = right(site), other(site)
        both = own.module is not None and found.module is not None
        return dataclasses.replace(own, module=found.module) if both else own

    def function(site: Site) -> Lowered:
        own, found = right(site), other(site)
        both = own.apply is not None and found.apply is not None
        return dataclasses.replace(own, apply=found.apply) if both else own

    yield "module", module
    yield "function", function


def ignoring(name: str, attribute: str) -> tuple[Lowering, tuple[Case, ...]]:
    """The lowering as if an attribute had its default or, without one, that of an example.

    With it, the cases in which the attribute differs.
    """
    right, kind = lowerings()[name], all_ops()[name]
    held, cases = kind.model_fields[attribute], cases_of(name)
    values = [case.attributes[attribute] for case in cases if attribute in case.attributes]
    value = values[0] if held.is_required() else held.default

    def wrong(site: Site) -> Lowered:
        return right(dataclasses.replace(site, op=site.op.model_copy(update={attribute: value})))

    return wrong, tuple(case for case in cases if case.attributes.get(attribute, value) != value)


def attributes(name: str) -> list[str]:
    """The attributes whose values the lowering must use."""
    return [field for field in all_ops()[name].model_fields if field not in OF_WEIGHTS]


def changes_code(name: str, wrong: Lowering, cases: Cases = None) -> bool:
    """Whether the lowering uses it at all: it may use types instead of attributes."""
    right = _source(name, cases)
    with lowered_as(name, wrong):
        try:
            return _source(name, cases) != right
        except Exception:
            return True


def _source(name: str, cases: Cases) -> str:
    return inspect.getsource(inspect.getmodule(type(bench(name, cases).module)))
