"""After folding, any program computes the same, with no more numbers and operations."""

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archspec
from archspec.analysis.parameters import table
from archspec.passes.folding.fold import fold
from tests.backends.values import unsettled
from tests.property.test_programs import EXPLORE

BLOCKS = """
use std.cnn { conv_bn }
block factor { input x: [B, C, ...]
param g: f32[C, 1, 1] = ones
output x * g }
block divided { input x: [B, C, ...]
param g: f32[1, C, 1, 1] = ones
output x / g }
block offset { input x: [B, C, ...]
param t: f32[C, 1, 1] = zeros
output t + x }
block alpha { input x
param alpha: f32[1] = ones
output alpha * x }
block less { input x: [B, C, ...]
param t: f32[C, 1, 1] = zeros
output x - t }
block other { input x: [B, C, ...]
param t: f32[C, 1, 1] = zeros
output t - x }
block moved { input x: [B, C, H, W]
output x -> transpose(1, 3) -> batch_norm(axis=3) -> transpose(1, 3) }
block turned { input x: [B, C, H, W]
output x -> rearrange("b c h w -> c b w h") -> mul(scalar=0.5) -> rearrange("c b w h -> b c h w") }
block nothing { identity }
block plain(k: int) { conv(8, k) }
block rep { [conv_bn(8, 3, act=identity), conv_bn(8, 1, act=identity), batch_norm] -> add }
block unit(f: layer, g: layer) { [f, f -> g, identity] -> add -> g }
block halved(f: layer) { input x
output 0.5 * x + (x -> f) }
block difference(f: layer, g: layer) { input x
output (x -> f) - (x -> g) }
block twice(f: layer) { input x
y = x -> f
output (y -> batch_norm) + y }
"""

LAYERS = st.sampled_from(
    (
        *("conv(8, 3)", "conv(8, 3, bias=false)", "conv(8, 1)", "conv(8, 1, bias=false)"),
        *("conv(8, 5, groups=2)", "conv(same, 3, groups=each)", "conv(same, 1, groups=each)"),
        *("conv(8, 3, dilation=2)", "conv(8, [1, 3])", "conv(8, 3, padding_mode=circular)"),
        *("conv(8, 3, padding_mode=circular, groups=4)", "conv(8, 4, padding=same)"),
        *("conv(8, 3, parametrization=weight_norm)", "conv_transpose(8, 3, padding=1)"),
        *("conv_transpose(8, 1, groups=4, bias=false)", "plain(3)", "plain(1)", "linear(9)"),
        *("conv_bn(8, 3, act=identity)", "conv_bn(8, 1)", "conv_bn(8, 1, act=identity)", "rep"),
    )
)
CHANGES = st.sampled_from(
    (
        *("batch_norm", "batch_norm", "batch_norm(affine=false, eps=0.1)", "frozen_batch_norm"),
        *("moved", "turned"),
        *("factor", "divided", "offset", "less", "other", "alpha", "mul(scalar=0.5)"),
        *("add(scalar=2.0)", "sub(scalar=1.0, reverse=true)", "div(scalar=4)"),
    )
)
PASSING = st.sampled_from(
    (
        *("nothing", "dropout(0.5)", "drop_path(0.2)", 'drop_path(0.2, scale="inference")'),
        *("transpose(2, 3)", "avg_pool(3, stride=1, padding=1)", "flip([2])", "roll(1, 2)"),
        *("avg_pool(3, stride=1, padding=1, count_include_pad=false)", "identity"),
        'rearrange("b c h w -> b h w c") -> rearrange("b h w c -> b c h w")',
        *("upsample(2) -> slice(axis=2, stop=9) -> slice(axis=3, stop=9)", "relu", "relu"),
        *("pad([(2, 1, 0)]) -> slice(axis=2, stop=9)", "shared_layer", "shared_norm"),
    )
)


SEQUENCE, SUM, SHORTCUT, UNIT, DIFFERENCE, HALVED, TWICE, REGION = range(8)


@st.composite
def programs(draw: st.DrawFn, depth: int = 3) -> str:
    """A layer, or layers made of layers."""
    if not depth or draw(st.integers(0, 3)) == 0:
        return draw(st.one_of(LAYERS, LAYERS, CHANGES, PASSING))
    form = draw(st.integers(SEQUENCE, REGION))
    count = draw(st.integers(2, 3)) if form <= SHORTCUT else 2 if form <= DIFFERENCE else 1
    parts = [draw(programs(depth - 1)) for _ in range(count)]
    if form == SEQUENCE:
        return " -> ".join(f"({part})" for part in parts)
    if form in (SUM, SHORTCUT):
        return f"[{', '.join((*parts, 'identity')[: count + form - SUM])}] -> add"
    # a shared layer cannot be an argument of a block, or be in a region
    own = {"shared_layer": "conv(8, 1)", "shared_norm": "batch_norm"}
    for name, layer in own.items():
        parts = [part.replace(name, layer) for part in parts]
    if form == REGION:
        return f"iterate({parts[0]}, 2)"
    named = {UNIT: "unit", DIFFERENCE: "difference", HALVED: "halved"}
    return f"{named.get(form, 'twice')}({', '.join(parts)})"


ENDS = st.sampled_from(
    (
        *("identity", "global_avg_pool -> linear(5)", "global_avg_pool(keepdim=true) -> flatten"),
        *('rearrange("b c h w -> b (h w) c") -> linear(3)', "flatten -> linear(3)"),
        *("mean(axis=[2, 3]) -> linear(5, bias=false)", "max_pool(3) -> batch_norm"),
        'rearrange("b c h w -> b h (w c)") -> linear(3, bias=false) -> batch_norm',
        *(
            "conv(4, 3, padding=valid)",
            "conv(6, 2, stride=2, padding=valid)",
            "adaptive_avg_pool(2)",
        ),
    )
)


def numbers(compiled) -> int:
    """Numbers in the state dict: parameters, and the statistics used in their place."""
    shapes = (entry.shape for entry in table(compiled) if entry.dtype.is_float)
    return sum(torch.Size(shape).numel() for shape in shapes)


@settings(
    deadline=None,
    derandomize=EXPLORE == 1,
    max_examples=60 * EXPLORE,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=programs(), end=ENDS)
def test_folding_preserves_values_of_random_programs(tmp_path_factory, body, end):
    path = tmp_path_factory.mktemp("fold") / "net.arch"
    path.write_text(
        f"{BLOCKS}\nnetwork net {{\n  input x: f32[B = 2, 8, 9, 9]\n"
        "  shared shared_layer = sl: conv(8, 1)\n  shared shared_norm = sn: batch_norm\n"
        f"  output x -> relu -> ({body}) -> {end}\n}}\n"
    )
    network = archspec.load(path)
    folded = network.fold()
    assert numbers(folded.compiled) <= numbers(network.compiled)
    assert folded.macs() <= network.macs()
    assert not fold(folded.compiled).steps
    assert {e.name for e in table(folded.compiled) if not e.name.endswith("bias")} <= {
        e.name for e in table(network.compiled)
    }
    module = unsettled(network.to_torch())
    small = folded.to_torch(dtype=torch.float64, weights=module.state_dict()).eval()
    x = torch.randn(2, 8, 9, 9, dtype=torch.float64)
    again = folded.to_torch(dtype=torch.float64, weights=small.state_dict()).eval()
    with torch.inference_mode():
        wanted, found = module(x), small(x)
        assert torch.equal(again(x), found)  # its own weights are not folded again
    assert found.shape == wanted.shape
    error = (found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-30)
    assert float(error) < 1e-7
