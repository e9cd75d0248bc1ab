"""The class of a network takes the parameters that only change numbers as arguments."""

import inspect
from functools import cache
from types import ModuleType

import pytest
import torch

import archspec
from archspec_torch.source import python_source
from tests.specs.compiled import shipped


def written(text, tmp_path, name="net", **parameters):
    path = tmp_path / f"{name}.arch"
    path.write_text(f"language 1\n{text}", encoding="utf-8")
    return archspec.load(path, **parameters)


def class_of(net):
    source, name = python_source(net.compiled)
    module = ModuleType("generated")
    exec(compile(source, "generated", "exec"), module.__dict__)
    return getattr(module, name)


@cache
def class_of_shipped(name, **values):
    return class_of(shipped(name, **values))


def arguments_of(net):
    parameters = inspect.signature(class_of(net).__init__).parameters.values()
    return {one.name: one.default for one in parameters if one.name != "self"}


def doc_of(net):
    return " ".join((class_of(net).__doc__ or "").split())


PRESETS = {
    "resnet50": {"classes": 10},
    "alexnet": {"classes": 7, "drop": 0.25},
    "inception_v3": {"classes": 12, "drop": 0.1},
    "vit_b_16": {"classes": 3, "dim": 384, "drop": 0.1, "attention_drop": 0.2},
    "swin_t": {"classes": 21, "drop": 0.05},
    "efficientnet_b0": {"classes": 6, "drop": 0.4},
    "mobilenetv1": {"classes": 6},
    "unet": {"classes": 5},
    "googlenet": {"classes": 11, "drop": 0.3, "aux_drop": 0.6},
    "densenet121": {"bottleneck": 2, "classes": 6},
    "dcgan_generator": {"width": 16, "channels": 1},
}


@pytest.mark.parametrize("name", PRESETS)
def test_other_values_give_the_same_network_as_the_spec(name):
    values = PRESETS[name]
    made = class_of_shipped(name)
    expected = class_of_shipped(name, **values)
    with torch.device("meta"):
        one, two = made(**values), expected()
    assert repr(one) == repr(two)
    shapes = [{key: x.shape for key, x in net.state_dict().items()} for net in (one, two)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", ["alexnet", "unet", "dcgan_generator", "efficientnet_b0"])
def test_networks_with_arguments_agree_in_weights_and_values(name):
    values = PRESETS[name]
    made, expected = class_of_shipped(name), class_of_shipped(name, **values)
    torch.manual_seed(0)
    one = made(**values).eval()
    torch.manual_seed(0)
    two = expected().eval()
    inputs = [value[..., :256, :256] for value in one.example_inputs()]  # smaller images are faster
    assert torch.equal(one(*inputs), two(*inputs))


def test_the_class_has_the_name_of_the_preset():
    text, name = python_source(shipped("resnet50").compiled)
    assert name == "Resnet50"
    assert "The preset `resnet50` of the network `resnet` (resnet.arch:" in text


def test_the_defaults_are_the_values_of_the_preset():
    assert arguments_of(shipped("resnet50")) == {"classes": 1000}
    assert arguments_of(shipped("resnet50", classes=10)) == {"classes": 10}


def test_the_live_module_has_the_same_class():
    kind = type(shipped("resnet50").to_torch("meta"))
    with torch.device("meta"):
        assert kind(classes=10).fc.out_features == 10


def test_fixed_parameters_are_recorded_with_their_values():
    doc = doc_of(shipped("resnet50"))
    assert "Outputs: `logits` f32[B, classes]." in doc
    assert "Fixed in this file: `unit = bottleneck`, `depths = [3, 4, 6, 3]`" in doc
    assert "`classes =" not in doc


# ---------------------------------------------------------------------- no decision depends on it

CASES = {
    "a condition": (
        "network net(n: int = 4) {{\n  input x: [B = 1, 4]\n  output x -> {} }}",
        [
            ("linear(n)", True),
            ("if n > 2 { linear(n) }", False),
            ("for _ in 0..n { linear(4) }", False),
            ("linear(if n > 2 then 8 else 4)", False),
            ("linear([3, 4, 5, 6, 7, 8, 9, 10, 11][n])", False),
            ('"l{n}": linear(4)', False),
            ("linear(2 * n + 1)", True),
            ("linear(max(n, 2))", True),
            ("tower([linear(n), linear(3)], 0)", True),
            ("tower([...[linear(n), relu], linear(3)], 0)", True),
            ("tower([linear(3) for _ in 0..n], 0)", False),
        ],
    ),
}

TOWER = """
inline rule tower(layers, i) if i == len(layers) => identity
inline rule tower(layers, i) => layers[i] -> tower(layers, i + 1)
"""


@pytest.mark.parametrize(
    ("text", "layer", "free"),
    [(text, *case) for text, cases in CASES.values() for case in cases],
)
def test_parameters_used_in_decisions_are_fixed(tmp_path, text, layer, free):
    net = written(TOWER + text.format(layer), tmp_path)
    assert arguments_of(net) == ({"n": 4} if free else {})


def test_parameters_used_in_decisions_of_blocks_or_rules_are_fixed(tmp_path):
    text = """
block outer(width: int) { inner(width) }
block inner(width: int) { if width > 3 { linear(width) } else { relu } }
rule tower(0) => identity
rule tower(n) => linear(4) -> tower(n - 1)
network net(n: int = 4, depth: int = 2, classes: int = 9) {
  input x: [B = 1, 4]
  output x -> outer(n) -> tower(depth) -> linear(classes)
}
"""
    assert arguments_of(written(text, tmp_path)) == {"classes": 9}


def test_parameters_of_sizes_used_in_decisions_are_fixed(tmp_path):
    text = """
block head {{
  input x: [B, C]
  output x -> if {} {{ relu }} else {{ sigmoid }}
}}
network net(width: int = 64, classes: int = 9) {{
  input x: [B = 1, 4]
  output x -> linear(width) -> head -> linear(classes)
}}
"""
    assert arguments_of(written(text.format("C == 50"), tmp_path)) == {"classes": 9}
    text = text.replace("if {} {{ relu }} else {{ sigmoid }}", "relu")
    assert arguments_of(written(text.format(), tmp_path)) == {"width": 64, "classes": 9}


def test_numbers_of_layers_that_made_data_are_no_decisions_about_it(tmp_path):
    text = """
block pyramid(width: int) {
  input ...taps
  maps = (t -> "convs.{i}": linear(width) for i, t in enumerate(taps))
  first, ...others = reversed(maps)
  output first -> for t in others { input y
    output y + t }
}
network net(width: int = 8) {
  input x: f32[B = 1, 4]
  output (x, x -> relu) -> pyramid(width)
}
"""
    assert arguments_of(written(text, tmp_path)) == {"width": 8}


def test_a_condition_on_sizes_fixes_no_parameter(tmp_path):
    text = """
    block mix(heads: int) {
      input x: [B, N, D] where D % heads == 0
      output x -> linear(D)
    }
    network net(dim: int = 32) {
      input x: f32[B = 1, 5, 8]
      output x -> linear(dim) -> mix(4)
    }
    """
    net = written(text, tmp_path)
    assert arguments_of(net) == {"dim": 32}
    made = class_of(net)(dim=64)
    assert made(torch.zeros(1, 5, 8)).shape == (1, 5, 64)


def test_parameters_in_input_types_are_fixed(tmp_path):
    text = """
network net(size: int = 8, classes: int = 9) {
  input x: [B = 1, size]
  output x -> linear(classes)
}
"""
    assert arguments_of(written(text, tmp_path)) == {"classes": 9}


def test_derived_defaults_are_derived_in_the_class(tmp_path):
    text = """
network net(width: int = 8, hidden: int = 4 * width, deep: int = hidden // 2) {
  input x: [B = 1, 3]
  output x -> linear(width) -> linear(hidden) -> linear(deep)
}
"""
    net = written(text, tmp_path)
    assert arguments_of(net) == {"width": 8}
    made = class_of(net)(width=6)
    assert [layer.out_features for layer in made.children()] == [6, 24, 12]


def test_rates_that_grow_with_the_depth_are_expressions(tmp_path):
    text = """
use std.combinators { drop_path_rate, residual }
block unit(drop: float) { residual(linear(4) -> drop_path(drop)) }
network net(rate: float = 0.25, depths: list[int] = [1, 2]) {
  input x: [B = 1, 4]
  output x -> for i, n in enumerate(depths) {
    "stage{i}": for j in 0..n { unit(drop_path_rate(rate, depths, i, j)) -> relu }
  }
}
"""
    net = written(text, tmp_path)
    source, _ = python_source(net.compiled)
    assert arguments_of(net) == {"rate": 0.25}
    assert "drop=0.0" in source
    assert "drop=rate / 2" in source
    assert "drop=rate)" in source


def test_numbers_of_initialisers_are_expressions(tmp_path):
    text = """
network net(classes: int = 9, spread: float = 0.5) {
  input x: [B = 1, 4]
  bound = 1 / sqrt(classes)
  output x -> linear(classes, weight_init=uniform(-bound, bound), bias_init=normal(std=2 * spread))
}
"""
    net = written(text, tmp_path)
    assert arguments_of(net) == {"classes": 9, "spread": 0.5}
    source, _ = python_source(net.compiled)
    assert "bound = 1 / math.sqrt(self.classes)" in source
    assert "b=bound" in source
    assert "std=2 * self.spread" in source
    made = class_of(net)(classes=100, spread=0.0)
    (layer,) = (one for one in made.modules() if isinstance(one, torch.nn.Linear))
    assert layer.weight.abs().max() <= 0.1
    assert (layer.bias == 0).all()


def test_numbers_of_initial_values_of_parameters_are_expressions(tmp_path):
    text = """
block scaled(classes: int, spread: float) {
  input x
  bound = 1 / sqrt(classes)
  param weight: f32[classes, 4] = uniform(-bound, bound)
  shift = "shift.own": param([classes], normal(std=2 * spread))
  output (x, weight, shift)
}
network net(classes: int = 9, spread: float = 0.5) {
  input x: [B = 1, 4]
  output x -> scaled: scaled(classes, spread) -> { input y, w, b
    output (y, w, b) -> affine }
}
"""
    net = written(text, tmp_path)
    assert arguments_of(net) == {"classes": 9, "spread": 0.5}
    source, _ = python_source(net.compiled)
    assert "bound = 1 / math.sqrt(self.classes)" in source
    assert "a=-bound, b=bound" in source
    assert "std=2 * self.spread" in source
    made = class_of(net)(classes=400, spread=0.0)
    assert 0 < made.scaled.weight.abs().max() <= 0.05
    assert not made.scaled.shift.own.any()


def test_a_value_outside_the_domain_is_rejected_with_a_message(tmp_path):
    text = """
network net(width: int in 1.. = 8, kernel: int in [3, 5] = 3, wide: int in 2..10 = 4) {
  input x: [B = 1, 3, H = 8, W = 8]
  output x -> conv(width, kernel) -> conv(wide, 1)
}
"""
    kind = class_of(written(text, tmp_path))
    with pytest.raises(ValueError, match=r"^`width` is 0; it must be at least 1$"):
        kind(width=0)
    with pytest.raises(ValueError, match=r"^`wide` is 10; it must be at least 2 and less than 10$"):
        kind(wide=10)
    assert kind(width=1, wide=9) is not None


def test_a_parameter_of_which_a_block_takes_only_the_value_of_the_file_is_no_argument(tmp_path):
    text = """
block cut(kernel: int, stride: int) {
  input x: [B, C, H, W]
  output x -> pad([(2, 0, ceil_div(H, stride) * stride - H)]) -> conv(C, kernel, stride)
}
network net(classes: int = 9, stride: int = 2) {
  input x: f32[B = 1, 3, H = 32, W = 32]
  output x -> cut(3, stride) -> global_avg_pool -> linear(classes)
}
"""
    net = written(text, tmp_path)
    assert "stride" not in arguments_of(net)
    assert "`stride = 2`" in doc_of(net)


def test_sizes_of_inline_blocks_that_are_free_leave_other_parameters_arguments():
    net = shipped("dpt_base")
    assert arguments_of(net)["width"] == 256
    with torch.device("meta"):
        found = class_of(net)(width=384).state_dict()
        expected = shipped("dpt_base", width=384).to_torch().state_dict()
    shapes = [{key: one.shape for key, one in table.items()} for table in (found, expected)]
    assert shapes[0] == shapes[1]


def test_a_width_that_fixed_heads_do_not_divide_is_rejected_with_a_message():
    kind = class_of_shipped("swin_t")
    with torch.device("meta"):
        with pytest.raises(ValueError, match=r"^`WindowAttention` is for in_features % heads == 0"):
            kind(dim=128)
        assert kind(dim=48) is not None


def test_a_network_without_a_spec_or_after_a_pass_takes_no_arguments():
    assert arguments_of(shipped("resnet18").fold()) == {}


def test_arguments_are_keyword_only():
    """Which parameters are arguments depends on the spec, so a position would mean little."""
    with pytest.raises(TypeError, match="positional"):
        class_of_shipped("alexnet")(10)
