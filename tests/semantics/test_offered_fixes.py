"""Fixes are tried on the compilation at hand: a network with its parameters, or a whole file."""

from __future__ import annotations

import pytest

from archspec.diagnostics.failure import CompileFailed
from archspec.diagnostics.model import Diagnostic
from archspec.semantics.compile import check, load_network
from archspec.source import Source

POOLED = (
    "[B = 1, 3, H = 8, W = 8]\n  output y = x -> conv(n, 3) -> global_avg_pool -> conv(8, 1)\n}\n"
)
NETWORK = "network net(n: int = 8) {\n  input x: f32" + POOLED
OTHER = (
    "network other {\n  input x: f32[B = 1, 3]\n  output y = x -> [identity, linear(4)] -> add\n}\n"
)


def refused(text: str, **parameters: object) -> tuple[Diagnostic, ...]:
    with pytest.raises(CompileFailed) as caught:
        load_network(Source("net.arch", text), "net", parameters)
    return caught.value.diagnostics


def edits(found: tuple[Diagnostic, ...]) -> list[str]:
    return [edit.text for item in found if item.fix is not None for edit in item.fix.edits]


def test_errors_in_another_network_do_not_suppress_a_fix() -> None:
    assert edits(refused(NETWORK)) == edits(refused(NETWORK + OTHER))
    assert edits(refused(NETWORK + OTHER)) != []
    assert len(edits(check(Source("net.arch", NETWORK + OTHER)).diagnostics)) == 1


def test_fixes_are_tried_with_the_parameters_of_the_network() -> None:
    text = NETWORK.replace("n: int = 8", "n: int")
    assert edits(refused(text, n=4)) == edits(refused(NETWORK)) != []
