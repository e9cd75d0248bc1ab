"""At each use, a shared layer computes what the front end infers for that use."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from archspec.analysis.macs import macs
from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source

BLOCKS = """
inline block half {
  input x: [B, C, P, Q]
  output x -> crop([(2, 0, P // 2)])
}
block scoped_half {
  input x: [B, C, P, Q]
  output x -> crop([(2, 0, P // 2)])
}
block folded {
  input x: [B, C, P, Q]
  output x -> rearrange("b c (h p) w -> b (c p) h w", p=2) -> cv: conv(4, 3)
}
block nested {
  input x: [B, C, P, Q]
  shared g = g: folded
  output x -> g
  output b = x -> max_pool(2) -> g
}
block chosen {
  input x: [B, C, P, Q]
  output x -> if P > 20 { relu } else { sigmoid -> tanh }
}
block tapped {
  input x: [B, C, P, Q]
  output x -> c1: conv(4, 3) -> crop([(2, 0, P // 2)]) -> c2: conv(4, 3)
}
"""
FREE = "f32[B = 2, 4, H = 32, W = 24]"
FIXED = "f32[B = 2, 4, 32, 24]"
SQUARE = "f32[B = 2, 4, H = 32, H] where H % 8 == 0"
TWICE = "\n output x -> f\n output b = x -> max_pool(2) -> f"
ANONYMOUS = "{ input v: [B_, C, P, Q]\n %s }"
SHARED = {
    "bare op": ('rearrange("b (a k) h w -> b (a h) (k w)", a=2)', TWICE),
    "transposed": (
        'rearrange("b (a k) h w -> b (a h) (k w)", a=2)',
        "\n output x -> f\n output b = x -> transpose(2, 3) -> f",
    ),
    "inline block": ("f: half", TWICE),
    "block": ("f: scoped_half", TWICE),
    "block with weights": ("f: folded", TWICE),
    "numbered scope": ("tower: (half -> conv(4, 3) -> relu)", TWICE),
    "anonymous": (ANONYMOUS % "output v -> crop([(2, 0, P // 2)]) -> conv(3, 3)", TWICE),
    "parameter": (
        ANONYMOUS % "param p: f32[4, 1, 1] = normal(std=1.0)\n output (v * p) -> half",
        TWICE,
    ),
    "buffer": (
        ANONYMOUS % "buffer p: f32[4, 1, 1] = ones([4, 1, 1])\n output v * p -> half",
        TWICE,
    ),
    "zeros": (
        ANONYMOUS % "output v + (zeros([P, Q]) -> reshape([1, 1, P, Q]))",
        TWICE,
    ),
    "split": (ANONYMOUS % "a, b = v -> split([P // 2, P - P // 2], axis=2)\n output a", TWICE),
    "repeat": ('repeat("b c h w -> b c (h k) w", k=2)', TWICE),
    "shared in shared": (
        ANONYMOUS % "shared g = conv(4, 3)\n output v -> g -> half -> g",
        TWICE,
    ),
    "shared in a shared block": (
        "f: nested",
        "\n output x -> f\n output b = x -> max_pool(2) -> f",
    ),
    "region": (
        "f: iterate("
        + ANONYMOUS % "output v -> half -> pad([(2, 0, P - P // 2)]) -> conv(4, 3)"
        + ", 2)",
        TWICE,
    ),
    "other ops": ("f: chosen", TWICE),
    "tap": ('f: tap(tapped, "c1", "c2")', TWICE),
    "loop": ("half", "\n output x -> for i in 0..3 { f }"),
    "loop of blocks": ("f: scoped_half", "\n output x -> for i in 0..3 { f }"),
    "one mode smaller": ("f: folded", "\n output x -> if training { max_pool(2) } -> f"),
    "both modes": (
        "f: folded",
        "\n y = x -> if training { max_pool(2) -> f -> conv(4, 3) }\n output y -> f"
        "\n output b = x -> f",
    ),
    "two sizes in each mode": (
        "f: half",
        "\n y = x -> if training { max_pool(2) }\n output y -> f"
        "\n output b = y -> max_pool(2) -> f",
    ),
    "label `_`": ("tower: (_: (conv(4, 3) -> half) -> relu)", TWICE),
    "square and not": (
        "f: folded",
        "\n output x -> f\n output b = x -> max_pool((2, 1), stride=(2, 1)) -> f",
    ),
}


def network(shared: str, uses: str, data: str) -> Network:
    text = f"{BLOCKS}\nnetwork net {{\n input x: {data}\n shared f = {shared}{uses}\n}}\n"
    compiled, _ = load_network(Source("shared.arch", text))
    return Network(compiled)


EACH = [
    pytest.param(case, data, id=f"{case}, {name}")
    for case in SHARED
    for name, data in (("free", FREE), ("fixed", FIXED), ("square", SQUARE))
    if case != "other ops" or data == FIXED  # no decision depends on a free size
]


@pytest.mark.parametrize(("case", "data"), EACH)
def test_each_use_has_the_inferred_sizes(case: str, data: str) -> None:
    net = network(*SHARED[case], data)
    module = net.to_torch()
    scripted = torch.jit.script(module)
    assert sum(item.numel() for item in module.parameters()) == net.parameters
    sizes = [dict(net.compiled.sizes)]
    sizes += [{**sizes[0], name: 2 * size} for name, size in sizes[0].items()]
    for training in (False, True):
        graph = net.compiled.training if training else net.compiled.inference
        for at in sizes:
            assert net.accepts(**at)
            expected = [[size.evaluate(at) for size in one.shape] for one in graph.output_types]
            x = torch.randn([size.evaluate(at) for size in graph.inputs[0].types[0].shape])
            with FlopCounterMode(display=False) as counter:
                found = tree_leaves(module.train(training)(x))
            assert [list(item.shape) for item in found] == expected
            assert counter.get_total_flops() // 2 == macs(graph).evaluate(at)
            for one, two in zip(found, tree_leaves(scripted.train(training)(x)), strict=True):
                torch.testing.assert_close(one, two)


def test_uses_of_a_shared_layer_agree() -> None:
    """As in detector heads over feature pyramids: 16 rows of 32, then 8 of 16."""
    module = network("f: half", TWICE, FREE).to_torch()
    x = torch.randn(2, 4, 32, 24)
    first, second = module(x)
    pooled = torch.nn.functional.max_pool2d(x, 2)
    torch.testing.assert_close(first, x[:, :, :16])
    torch.testing.assert_close(second, pooled[:, :, :8])


@pytest.mark.parametrize(
    "shared",
    [
        "f: conv(4, 3)",
        "f: folded",
        "f: iterate(conv(same, 3), 2)",
        "f: (conv(4, 3) -> relu)",
        ANONYMOUS % "param p: f32[C, 1, 1] = zeros\n output v * p",
        ANONYMOUS % "buffer p: f32[C, 1, 1] = ones([C, 1, 1])\n output v * p",
        ANONYMOUS % "output v -> if C > 4 { f: conv(8, 1) }",
        ANONYMOUS % "output v -> conv(4, 3, stride=if C > 4 then 2 else 1, groups=C // 4)",
    ],
)
def test_uses_with_different_weight_shapes_are_refused(shared: str) -> None:
    use = "\n output x -> f\n output b = x -> conv(8, 3) -> f"
    if "v -> if" in shared:
        network(shared, use, FREE)  # the second use has its own layer, the first has none
        return
    with pytest.raises(CompileFailed) as caught:
        network(shared, use, FREE)
    assert [item.code for item in caught.value.diagnostics] == ["E0607"]
