"""Layers inserted into a called module have their own weights, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from tests.backends.scripts import script
from tests.property.insertions import insertion_program
from tests.property.test_programs import EXPLORE

torch = pytest.importorskip("torch")


def load(text: str) -> Network:
    return Network(load_network(Source("net.arch", text))[0])


def renamed(name: str, places: dict[str, str]) -> str:
    """The name of a tensor with inserted parts: each marker is replaced by its path."""
    return ".".join(places.get(part, part) for part in name.split("."))


@settings(
    max_examples=12 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_labels_inside_calls(seed: int) -> None:
    plain, text, places = insertion_program(seed)
    try:
        expected, net = load(plain).to_torch(), load(text).to_torch()
    except CompileFailed as failed:
        raise AssertionError(f"{failed}\n{text}") from failed
    torch.manual_seed(seed)
    weights = {name: torch.randn(w.shape) for name, w in expected.state_dict().items()}
    expected.load_state_dict(weights)
    moved = {renamed(name, places): weight for name, weight in weights.items()}
    assert sorted(net.state_dict()) == sorted(moved), text
    net.load_state_dict(moved)
    x, scripted = torch.randn(3, 4), script(net)
    for training in (False, True):
        expected.train(training)
        for one in (net, scripted):
            torch.testing.assert_close(one.train(training)(x), expected(x), msg=text)
