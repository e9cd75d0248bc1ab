"""Folded networks compute the same as the original ones, and load their weights."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archspec
from archspec.diagnostics.failure import CompileFailed
from tests.backends.values import unsettled


def agrees(network, shape):
    """Whether the folded network computes the same, and how many tensors fewer it has."""
    module = unsettled(network.to_torch())
    folded = network.fold().to_torch(dtype=torch.float64, weights=module.state_dict()).eval()
    x = torch.randn(*shape, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(folded(x), module(x), rtol=1e-9, atol=1e-9)
    return len(module.state_dict()) - len(folded.state_dict())


LAYERS = (
    "conv(8, 3, bias=false)",
    "conv(8, 3, stride=2, groups=4)",
    "conv(8, [3, 1], dilation=2, padding_mode=reflect)",
    "conv(8, 3, padding=valid, groups=2, bias=false)",
    "conv(same, 4, padding=same, groups=each)",
    "conv_transpose(8, 3, stride=2, groups=2, bias=false)",
    "conv_transpose(8, 2, stride=2)",
    'rearrange("b c h w -> b h w c") -> linear(8) -> rearrange("b h w c -> b c h w")',
    "[conv(same, 5, groups=2), conv(same, 3, groups=2, bias=false)] -> add",
    "[conv(same, [1, 3], bias=false), conv(same, [3, 1]), conv(same, 3), identity] -> add",
    "[conv(same, 7), conv(same, 3, dilation=2) -> batch_norm, conv(same, [5, 2], padding=same)]"
    " -> add",
    "wide",
)
CHANGES = (
    "batch_norm",
    "batch_norm(affine=false, eps=0.1)",
    "frozen_batch_norm",
    "instance_norm(track=true)",
    "factor",
    "offset",
)
BETWEEN = ("relu", "dropout(0.5)", "transpose(2, 3)")
BLOCKS = """
block factor { input x: [B, C, H, W]
param g: f32[C, 1, 1] = ones
output x * g }
block offset { input x: [B, C, H, W]
param t: f32[1, C, 1, 1] = zeros
output t + x }
block wide { batch_norm -> conv(12, 1) -> wider }
block wider { conv(8, 3, bias=false) -> factor }
"""


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    chain=st.lists(
        st.sampled_from((*LAYERS, *CHANGES, *CHANGES, *BETWEEN)), min_size=2, max_size=6
    ).filter(lambda chain: any(item in LAYERS for item in chain))
)
def test_folding_preserves_values_of_any_chain(tmp_path_factory, chain):
    path = tmp_path_factory.mktemp("fold") / "net.arch"
    body = " -> ".join(f"({item})" for item in chain)
    path.write_text(
        f"{BLOCKS}\nnetwork net {{ input x: f32[B = 2, 8, 24, 24]\noutput x -> {body} }}\n"
    )
    agrees(archspec.load(path), (2, 8, 24, 24))


def left(net):
    """The names of the tensors of `last` in the folded network."""
    return [name for name in net.fold().to_torch().state_dict() if name.startswith("last")]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_scale_or_shift_after_each_layer_is_folded_into_it(network, layer, change):
    net = network(
        f"{BLOCKS}\nnetwork net {{\n  input x: f32[B = 2, 8, 12, 12]\n"
        f"  output x -> {layer} -> last: {change}\n}}"
    )
    assert not left(net)
    agrees(net, (2, 8, 12, 12))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "layer", ["conv(6, 1, groups=2)", "conv(6, 3, padding=valid, bias=false)", LAYERS[7]]
)
def test_scale_or_shift_before_a_layer_is_folded_into_it(network, layer, change):
    net = network(
        f"{BLOCKS}\nnetwork net {{\n  input x: f32[B = 2, 8, 12, 12]\n"
        f"  output x -> relu -> last: {change} -> {layer}\n}}"
    )
    assert not left(net)
    agrees(net, (2, 8, 12, 12))


PAIR = "a: conv_bn(8, 3, act=identity), b: conv_bn(8, 1, act=identity)"
BARE = "conv(8, 3, bias=false) -> batch_norm, conv(8, 1, bias=false) -> batch_norm"
LARGE, POINT = BARE.split(", conv(8, 1")[0], "conv(8, 1" + BARE.split(", conv(8, 1")[1]
DEPTHWISE = "conv_bn(8, 3, groups=8, act=identity), conv(8, 1, groups=8), identity"
HALF = "mul(scalar=0.5)"
ITEMS = {
    "two blocks": (f"[{PAIR}] -> add", 584, 93_312),
    "two convolutions": (f"[{BARE}] -> add", 584, 93_312),
    "a block and a convolution": (f"[a: conv_bn(8, 3, act=identity), {POINT}] -> add", 584, 93_312),
    "a convolution and a norm": (f"[{LARGE}, batch_norm] -> add", 584, 93_312),
    "two convolutions and a norm": (f"[{BARE}, batch_norm] -> add", 584, 93_312),
    "blocks and a norm": (f"[{PAIR}, batch_norm] -> add", 584, 93_312),
    "a sum in a block": (f"rep({PAIR.split(', b')[0]})", 584, 93_312),
    "a norm in a block": (f"[{PAIR}, normed] -> add", 584, 93_312),
    "RepViT": (f"[{DEPTHWISE}] -> add -> batch_norm", 80, 11_664),
    "RepViT in blocks": (f"[sum: rep({DEPTHWISE.split(', conv')[0]}), "
                         "conv(8, 1, groups=8)] -> add -> normed", 80, 11_664),
    "ConvMixer": ("relu -> batch_norm -> global_avg_pool -> linear(10)", 90, 160),
    "ConvMixer in blocks": ("relu -> normed -> pooled", 90, 160),
    "a sum within a sum": (f"[[{PAIR}] -> add, [batch_norm, identity] -> add] -> add", 584, 93_312),
    "a scaled sum": (f"[[{PAIR}] -> add -> {HALF}, {HALF} -> batch_norm] -> add", 584, 93_312),
    "a difference": ("differ(conv(8, 3), conv(8, 1))", 584, 93_312),
    "groups in a dense one": ("[conv(8, 3), conv(8, 3, groups=4), identity] -> add", 584, 93_312),
    "LayerScale": ("[conv(8, 3) -> scaled, identity -> dropout] -> add", 584, 93_312),
    "steps of two": (f"[{PAIR.replace(', act', ', 2, act')}] -> add", 584, 28_800),
    "in a region": (f"iterate([{PAIR}, batch_norm] -> add, 2)", 584, 186_624),
    "transposed": ("[conv_transpose(8, 3, padding=1), conv_transpose(8, 1, groups=4), identity]"
                   " -> add -> batch_norm", 584, 93_312),
}  # fmt: skip
"""The deployed form for x: [2, 8, 9, 9]: layers, parameters, MACs."""


@pytest.mark.parametrize("case", ITEMS)
def test_folded_networks_have_the_expected_costs_and_values(network, case):
    body, parameters, macs = ITEMS[case]
    net = network(
        f"""use std.cnn {{ conv_bn }}
block rep(f: layer) {{ [f, identity] -> add }}
block normed {{ batch_norm }}
block pooled {{ global_avg_pool(keepdim=true) -> flatten -> linear(10) }}
block scaled {{ input x: [B, C, H, W]
param gamma: f32[C, 1, 1] = ones
output x * gamma }}
block differ(f: layer, g: layer) {{ input x
output (x -> f) - (x -> g) / 4 }}
network net {{ input x: f32[B = 2, 8, H = 9, W = 9]
output x -> {body} }}"""
    )
    folded = net.fold()
    assert (folded.parameters, folded.macs()) == (parameters, macs)
    agrees(net, (2, 8, 9, 9))


REORDERED = {
    "both": "t = x -> transpose(1, 2)\noutput ((t -> batch_norm) + alpha * t) -> transpose(1, 2)",
    "norm": "output (x -> transpose(1, 2) -> batch_norm -> transpose(1, 2)) + alpha * x",
    "shortcut": """t = x -> transpose(1, 2) -> mul(scalar=2) -> rearrange("b d n -> b n d")
output (x -> batch_norm(axis=2)) + alpha * t""",
    "each": """t = x -> rearrange("b n d -> d b n") -> rearrange("d b n -> b d n") -> batch_norm
output (t -> transpose(1, 2)) - (x -> transpose(0, 2) -> mul(scalar=3) -> transpose(0, 2))""",
    "one after another": """t = x -> transpose(1, 2) -> batch_norm -> transpose(1, 2)
u = t -> transpose(0, 1) -> batch_norm(axis=2) -> alpha_of -> transpose(0, 1)
output u + x""",
}


@pytest.mark.parametrize("body", REORDERED.values(), ids=REORDERED)
def test_a_norm_parallel_to_a_scaled_shortcut_is_folded_into_a_linear_layer(network, body):
    alpha = "" if "alpha *" not in body else "param alpha: f32[1] = ones\n"
    net = network(
        f"""inline block alpha_of {{ input x
param beta: f32[1] = ones
output beta * x }}
block rep {{ input x: [B, N, D]
{alpha}{body} }}
network net {{ input x: f32[B = 2, N = 5, 8]
output x -> rep -> fc: linear(12) }}"""
    )
    assert [*net.fold().to_torch().state_dict()] == ["fc.weight", "fc.bias"]
    agrees(net, (2, 5, 8))


@pytest.mark.parametrize("size", ["L = 9", "D = 5, H = 6, W = 7"])
def test_folding_over_one_and_three_axes(network, size):
    net = network(
        f"""network net {{ input x: f32[B = 2, 8, {size}]
output x -> [conv(8, 3, bias=false) -> batch_norm, conv(8, 1, groups=2), batch_norm, identity]
  -> add -> relu -> batch_norm -> conv(4, 3, padding=valid) }}"""
    )
    taps = 3 ** size.count("=")
    assert net.fold().parameters == 64 * taps + 8 + 32 * taps + 4
    agrees(net, (2, 8, *(int(part.split("=")[1]) for part in size.split(","))))


REPVGG = Path(__file__).parent / "repvgg.arch"


def test_folded_repvgg_equals_the_deployed_network():
    net = archspec.load(REPVGG)
    folded = net.fold()
    assert net.parameters == 9_108_968  # of timm's repvgg_a0
    assert (folded.parameters, folded.macs()) == (8_309_384, 1_361_451_008)  # and after merging
    assert len(folded.to_torch(device="meta").state_dict()) == 2 * 22 + 2


@pytest.mark.live
def test_folded_repvgg_agrees_with_timm():
    timm = pytest.importorskip("timm")
    utilities = pytest.importorskip("timm.utils.model")
    torch.manual_seed(1)
    peer = unsettled(timm.create_model("repvgg_a0"))
    for value in peer.state_dict().values():
        if value.is_floating_point() and value.dim() > 1:
            value.normal_(0, (2 / value[0].numel()) ** 0.5)
    folded = archspec.load(REPVGG).fold()
    module = folded.to_torch(weights=peer.state_dict(), dtype=torch.float64).eval()
    merged = utilities.reparameterize_model(peer)
    assert sum(value.numel() for value in merged.parameters()) == folded.parameters
    wanted, found = merged.state_dict(), module.state_dict()
    for (name, value), (theirs, other) in zip(found.items(), wanted.items(), strict=True):
        assert name.replace("conv_kxk.conv", "reparam_conv") == theirs
        torch.testing.assert_close(value, other, rtol=1e-9, atol=1e-9)
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(module(x), merged(x), rtol=1e-9, atol=1e-9)


NET = """
block unit(width: int) { conv(width, 3, bias=false) -> bn: batch_norm -> relu }
network net { input x: f32[B = 1, 3, H = 8, W = 8]
output x -> a: unit(4) -> b: unit(4) -> global_avg_pool -> fc: linear(5) }
"""


@pytest.fixture
def net(network):
    return network(NET)


def test_without_weights_the_initial_ones_are_folded(net):
    whole, folded = net.to_torch(seed=3).eval(), net.fold().to_torch(seed=3).eval()
    assert {*folded.state_dict()} == {
        *("a.conv.weight", "a.conv.bias", "b.conv.weight", "b.conv.bias", "fc.weight", "fc.bias")
    }
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(folded(x), whole(x))


def test_folded_network_loads_its_own_weights(net, tmp_path):
    folded = net.fold()
    state = folded.to_torch(seed=4).state_dict()
    again = folded.to_torch(weights=state)
    for name, value in again.state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=0, atol=0)


@pytest.mark.parametrize(
    "body",
    [
        "conv(8, 3) -> mul(scalar=0.3)",
        "conv(8, 3) -> { input q\noutput 0.5 * q }",
        "batch_norm -> add(scalar=1.0) -> relu",
        "mul(scalar=0.5) -> batch_norm",
        "[conv(8, 3) -> mul(scalar=2.0), relu -> conv(8, 1)] -> add",
        "conv(8, 3) -> mul(scalar=0.3) -> relu -> conv(8, 1, bias=false) -> batch_norm",
        "conv(8, 3, bias=false) -> add(scalar=0.3)",
    ],
)
def test_folded_weights_are_not_folded_again(network, body, tmp_path):
    net = network(f"network net {{ input x: f32[B = 2, 8, H = 6, W = 6]\noutput x -> {body} }}")
    folded, state = net.fold(), unsettled(net.to_torch()).state_dict()
    made = folded.to_torch(dtype=torch.float64, weights=state).eval()
    folded.build(tmp_path, targets="torch", weights=made.state_dict())
    x = torch.randn(2, 8, 6, 6, dtype=torch.float64)
    for own in (made.state_dict(), tmp_path / "net_folded.weights.pt"):
        again = folded.to_torch(dtype=torch.float64, weights=own).eval()
        torch.testing.assert_close(again(x), made(x), rtol=0, atol=0)
    names = [net.to_torch().state_dict().keys(), made.state_dict().keys()]
    steps = folded.folding.steps
    assert bool(steps) == (names[0] != names[1])


def test_weights_of_neither_form_are_refused(net):
    state = net.to_torch().state_dict()
    del state["a.bn.weight"]
    with pytest.raises(CompileFailed) as failure:
        net.fold().to_torch(weights=state)
    (item,) = failure.value.diagnostics
    assert item.code == "E0842"
    assert "a.bn.weight" in str(item.notes)


def test_nothing_is_initialised_on_meta(net):
    module = net.fold().to_torch(device="meta", weights=net.to_torch(device="meta").state_dict())
    assert all(value.is_meta for value in module.state_dict().values())


def test_half_precision_weights_are_folded_in_double(net):
    module = net.to_torch().half().eval()
    folded = net.fold().to_torch(dtype="float16", weights=module.state_dict())
    assert folded.a.conv.bias.dtype is torch.float16


def test_folding_twice_and_folding_columns(network):
    columns = network(
        """
rule f(1) => conv(4, 3) -> bn: batch_norm
rule f(n) => [f(n - 1) -> join -> f(n - 1), ...f(1)] -> concat
network net { input x: f32[B = 1, 4, 8, 8]
output x -> [conv(4, 3) -> batch_norm, conv(4, 5) -> batch_norm -> relu] -> join(drop=0.1) }
"""
    )
    folded = columns.fold()
    assert folded.fold() is folded
    weights = columns.to_torch(seed=2).state_dict()
    one = columns.extract(column=2).fold()
    other = folded.extract(column=2)
    assert one.parameters == other.parameters < folded.parameters
    x = torch.randn(1, 4, 8, 8)
    results = [net.to_torch(weights=weights).eval()(x) for net in (one, other)]
    whole = columns.extract(column=2).to_torch(weights=weights).eval()(x)
    torch.testing.assert_close(results, [whole, whole])


def test_built_source_documents_the_origin_of_weights(net, tmp_path):
    module = unsettled(net.to_torch()).float()
    torch.save(module.state_dict(), tmp_path / "w.pth")
    files = net.fold().build(tmp_path / "out", weights=tmp_path / "w.pth")
    assert {path.name for path in files} == {
        f"net_folded.{end}" for end in ("py", "svg", "report.md", "weights.pt", "torchscript.pt")
    }
    assert "w.pth, folded" in (tmp_path / "out" / "net_folded.py").read_text()
    script = torch.jit.load(str(tmp_path / "out" / "net_folded.torchscript.pt"))
    x = torch.randn(2, 3, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(script(x), module(x), rtol=1e-4, atol=1e-4)
