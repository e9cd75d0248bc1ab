"""Mutated specs never crash the compiler, never take long, and never show a traceback."""

from __future__ import annotations

import os
import random
import re

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.text import render
from archspec.graph.compiled import Compiled
from archspec.network import Network
from archspec.semantics.compile import check
from archspec.source import Source
from tests.property.mutations import SMALL, change, examples, specs, spoil
from tests.timing import within

SECONDS = 4.0
"""Processor time; the budget of a run keeps it far below this on a current machine."""

EXPLORE = int(os.environ.get("ARCHSPEC_EXPLORE", "1"))
"""Factor for the number of examples; if it is given, examples differ in each run."""

PROFILE = settings(
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


WORDS = (
    *("network", "net", "block", "rule", "f", "input", "output", "x", "y", "n", "relu", "conv"),
    *("for", "in", "if", "else", "then", "and", "not", "shared", "_", "f32[B = 1, 4]", "\n"),
    *("{", "}", "(", ")", "[", "]", ":", "=", ",", "->", "=>", ".", "..", "...", "\n"),
    *("3", "0", "-1", "1.5", '"a"', '"{x}"', "+", "*", "**", "//", "%", "=="),
)


def examine(text: str) -> None:
    """Check a text; diagnostics must be well-formed."""
    with within(SECONDS):
        items = check(Source("spoilt.arch", text)).diagnostics
        drawn = render(items, width=100)
    for item in items:
        assert re.fullmatch(r"[EWN]\d{4}", item.code)
        assert item.message
        assert item.primary is not None
        source = item.primary.span.source
        assert 0 <= item.primary.span.start <= item.primary.span.end <= len(source.text) + 1
    assert all(sign == "\n" or sign.isprintable() for sign in drawn)
    assert "Traceback" not in drawn


def test_unchanged_specs_are_valid() -> None:
    for text in SMALL:
        assert [item.code for item in check(Source("good.arch", text)).diagnostics] in (
            [],
            ["W0401"],
        )


@settings(PROFILE, max_examples=120 * EXPLORE)
@given(seed=st.integers(0, 2**32), times=st.sampled_from([1, 1, 2, 3, 6]))
def test_mutated_small_specs(seed: int, times: int) -> None:
    chance = random.Random(seed)
    examine(spoil(chance.choice(SMALL), chance, times))


@settings(PROFILE, max_examples=40 * EXPLORE)
@given(seed=st.integers(0, 2**32), times=st.sampled_from([1, 1, 2, 5]))
def test_mutated_shipped_specs(seed: int, times: int) -> None:
    chance = random.Random(seed)
    examine(spoil(chance.choice(specs()), chance, times))


@settings(PROFILE, max_examples=120 * EXPLORE)
@given(seed=st.integers(0, 2**32), times=st.sampled_from([1, 1, 2, 3, 6]))
def test_mutated_examples(seed: int, times: int) -> None:
    chance = random.Random(seed)
    examine(spoil(chance.choice(examples()), chance, times))


def build(net: Network) -> list[str]:
    """Build the module, plain and folded; the codes of the errors."""
    try:
        module = net.to_torch(device="meta")
        net.fold().to_torch(device="meta")
    except CompileFailed as failed:
        return [item.code for item in failed.diagnostics]
    assert sum(one.numel() for one in module.parameters()) == net.parameters
    return []


@settings(PROFILE, max_examples=150 * EXPLORE)
@given(seed=st.integers(0, 2**32), times=st.sampled_from([1, 1, 2, 3]))
def test_changed_examples_that_compile_are_built(seed: int, times: int) -> None:
    pytest.importorskip("torch")
    chance = random.Random(seed)
    text = change(chance.choice([*examples(), *SMALL]), chance, times)
    examine(text)
    found: list[Compiled] = []
    sink = check(Source("changed.arch", text), inspect=lambda one: found.append(one) or ())
    event("failed" if sink.failed else "compiles")
    for compiled in [] if sink.failed else found:
        refused = build(Network(compiled))
        assert all(code.startswith("E08") for code in refused), text


@settings(PROFILE, max_examples=60 * EXPLORE)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    examine(text)


@settings(PROFILE, max_examples=60 * EXPLORE)
@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=60,
    )
)
def test_any_words(words: list[str]) -> None:
    examine(" ".join(words))
