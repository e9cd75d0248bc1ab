"""An extracted column equals the plain network that has only the layers of that column.

Programs with joins in sequences, in blocks and in layer arguments of ops, nested in each other, are
written in full, and without what a column leaves out. The extracted modules and the plain ones have
the same weights with the same names, and compute the same.
"""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from tests.property.test_programs import EXPLORE

torch = pytest.importorskip("torch")

HEAD = """
block around(f: layer) { f -> relu }
block both { input v
  output low = v -> low: conv(4, 1)
  output high = v -> high: conv(4, 3)
}
"""
SCAN = """{{ input u
  s = u -> select(axis=2, index=0)
  y, _ = (u, s) -> r{label}: scan({{ input t, s
    n = (t, s) -> add -> {inner}
    output first = n
    output second = n
  }}, axis=2)
  output y
}}"""

leaf = st.sampled_from([("conv",), ("outer",), ("column",)])
terms = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.tuples(st.just("join"), inner, inner),
        st.tuples(st.just("join"), inner, inner),
        st.tuples(st.just("then"), inner, inner),
        st.tuples(st.just("iterate"), inner),
        st.tuples(st.just("scan"), inner),
        st.tuples(st.just("around"), inner),
    ),
    max_leaves=8,
)


def text_of(term, column, numbers, flat=False):
    """The text of the layer, with both inputs of each join, or only that of a column."""
    kind, label = term[0], next(numbers)
    inner = [text_of(part, column, numbers, flat or kind == "scan") for part in term[1:]]
    if kind == "outer" and not flat:
        return "{ input v\n output v + far }"
    if kind == "column":
        picked = "(low, high) -> join" if column is None else ("low", "high")[column - 1]
        return f"{{ input v\n low, high = v -> b{label}: both\n output {picked} }}"
    if kind == "join":
        return f"[{inner[0]}, {inner[1]}] -> join" if column is None else inner[column - 1]
    if kind == "then":
        return f"{inner[0]} -> {inner[1]}"
    if kind == "iterate":
        return f"i{label}: iterate({{ input v\n output v -> {inner[0]} }}, 2)"
    if kind == "scan" and not flat:
        return SCAN.format(label=label, inner=inner[0])
    if kind == "around":
        reads = "outer" in str(term)  # data from outside, which a block cannot read
        return inner[0] if reads else f"a{label}: around({inner[0]})"
    return inner[0] if inner else f"c{label}: conv(4, 3)"


def network(term, column=None):
    body = text_of(term, column, count())
    text = (
        f"{HEAD}network net {{\n input x: f32[B = 2, 4, 6, 6]\n near = x -> near: conv(4, 1)\n"
        f" far = x -> far: conv(4, 1)\n output near -> {body}\n}}"
    )
    compiled, _ = load_network(Source("net.arch", text))
    return Network(compiled), text


@settings(
    max_examples=15 * EXPLORE,
    deadline=None,
    derandomize=EXPLORE == 1,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(terms.filter(lambda term: "join" in str(term) or "column" in str(term)))
def test_columns_are_plain_networks(term) -> None:
    whole, text = network(term)
    weights = whole.to_torch().state_dict()
    data = torch.randn(2, 4, 6, 6)
    for column in (1, 2):
        part = whole.extract(column=column)
        plain, _ = network(term, column)
        module, reference = part.to_torch(weights=weights).eval(), plain.to_torch().eval()
        state = module.state_dict()
        used = {name: weights[name] for name in reference.state_dict()}
        lost = set(used) - set(state)  # weights that the plain network has but does not use
        assert sum(used[name].numel() for name in lost) == plain.unused_parameters, (column, text)
        assert set(state) <= set(used), (column, text)
        assert part.parameters == sum(item.numel() for item in module.parameters())
        reference.load_state_dict(used)
        with torch.no_grad():
            assert torch.allclose(module(data), reference(data), atol=1e-5), (column, text)
        assert part.macs() <= plain.macs()


def test_weights_of_columns_inside_and_outside_a_region() -> None:
    columns = "[conv(4, 3), conv(4, 3) -> conv(4, 3)] -> join"
    text = (
        "network net {\n input x: f32[B = 1, 4, H = 8, W = 8]\n"
        f" output x -> {columns} -> iterate({columns}, 3)\n}}"
    )
    whole = Network(load_network(Source("net.arch", text))[0])
    assert [whole.extract(column=column).parameters for column in (1, 2)] == [296, 592]
    assert [whole.extract(column=column).depth for column in (1, 2)] == [4, 8]
