"""Parameters that do not learn, and parameters whose initial values are computed."""

import copy

import pytest
import torch
from torch.nn.functional import conv2d, interpolate

from archspec.diagnostics.failure import CompileFailed
from archspec_torch.source import python_source

BLURRED = """
block blur(k: int) {
  input x: [B, C, H, W]
  line = 1.0 - ((arange(k, dtype=f32) - (k - 1) / 2) / (k / 2) -> abs)
  param weight: f32[C, 1, k, k] =
    (line -> unsqueeze(1)) * line / ((line -> sum) * (line -> sum)) -> expand([C, 1, k, k]) fixed
  output (x, weight) -> convolve(groups=C)
}
network net(channels: int = 3) {
  input x: f32[B = 2, channels, H = 5, W = 7]
  output y = x -> mix: conv(channels, 1) -> blur(3)
}
"""


def test_fixed_parameters_are_not_trained(network):
    module = network(BLURRED).to_torch(seed=0)
    before = copy.deepcopy(module.state_dict())
    assert list(before) == ["mix.weight", "mix.bias", "blur.weight"]
    assert [p.requires_grad for p in module.parameters()] == [True, True, False]
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        x = torch.rand(2, 3, 5, 7, requires_grad=True)
        optimiser.zero_grad()
        module(x).square().sum().backward()
        optimiser.step()
        assert bool(x.grad.any())
    after = module.state_dict()
    assert [torch.equal(before[name], after[name]) for name in before] == [False, False, True]


def test_reports_distinguish_fixed_parameters(network):
    counts = network(BLURRED).report().counts
    assert (counts.parameters, counts.fixed) == (39, 27)


def test_initial_value_equals_the_expression(network):
    module = network(BLURRED).to_torch(seed=0)
    line = torch.tensor([0.2, 0.6, 0.2])
    weight = module.state_dict()["blur.weight"]
    torch.testing.assert_close(weight, (line[:, None] * line).expand(3, 1, 3, 3))
    x = torch.rand(1, 3, 5, 7)
    torch.testing.assert_close(module(x), conv2d(module.mix(x), weight, padding=1, groups=3))


def test_a_function_says_which_values_it_computes(network):
    text, _ = python_source(network(BLURRED).compiled)
    assert '"""The initial values of `weight` in `Blur`."""' in text


def test_values_are_computed_again_after_to_empty(network):
    net = network(BLURRED)
    module = net.to_torch(device="meta").to_empty(device="cpu")
    module.blur.reset_parameters()
    wanted = net.to_torch().state_dict()["blur.weight"]
    torch.testing.assert_close(module.state_dict()["blur.weight"], wanted)


def test_torchscript_keeps_parameters_fixed(network):
    module = network(BLURRED).to_torch(seed=0)
    scripted = torch.jit.script(module)
    x = torch.rand(1, 3, 4, 4)
    torch.testing.assert_close(scripted(x), module(x))
    fixed = {name: p.requires_grad for name, p in scripted.named_parameters()}
    assert fixed == {"mix.weight": True, "mix.bias": True, "blur.weight": False}


def test_parameters_with_computed_initial_values_are_trained(network):
    text = """network net {
      input x: f32[B = 1, 3]
      param turn: f32[3, 3] = if training_rate > 0 then eye(3) * 0.5 else eye
      output y = (x, turn) -> matmul
    }""".replace("training_rate", "2")
    module = network(text).to_torch()
    torch.testing.assert_close(module.turn.detach(), torch.eye(3) * 0.5)
    module(torch.ones(1, 3)).sum().backward()
    assert bool(module.turn.grad.any())


def test_a_param_without_a_name_can_be_fixed(network):
    text = """network net {
      input x: f32[B = 1, 3]
      mean = "norm.mean": frozen(param([3], constant(0.5)))
      output y = x - mean
    }"""
    net = network(text)
    module = net.to_torch()
    assert (net.report().counts.parameters, net.report().counts.fixed) == (3, 3)
    assert [(n, p.requires_grad) for n, p in module.named_parameters()] == [("norm.mean", False)]
    torch.testing.assert_close(module(torch.ones(1, 3)), torch.full((1, 3), 0.5))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("x -> mean(axis=0)", "E0409"),
        ("arange(3)", "E0405"),
        ("eye(2)", "E0405"),
        ("(eye(3), eye(3))", "E0409"),
        ("0.5", "E0305"),
        ("relu", "E0305"),
        ("if training then eye(3) else eye(3) * 2.0", "E0409"),
        ("other * 2.0", "E0409"),
    ],
)
def test_refused_initial_values(network, value, code):
    text = f"""network net {{
      input x: f32[B = 1, 3]
      param other: f32[3, 3] = ones
      param p: f32[3, 3] = {value}
      output y = (x, p + other) -> matmul
    }}"""
    with pytest.raises(CompileFailed) as failure:
        network(text)
    assert [item.code for item in failure.value.diagnostics][:1] == [code]


UPSAMPLED = """
inline block bilinear(factor: int) {
  input x: [B, C, H, W]
  k = 2 * factor - factor % 2
  line = 1.0 - ((arange(k, dtype=f32) - (k - 1) / 2) / factor -> abs)
  param weight: f32[C, 1, k, k] =
    line * (line -> unsqueeze(1)) -> expand([C, 1, k, k]) fixed
  output (x, weight) -> convolve_transpose(factor, padding=(k - factor) // 2, groups=C)
}
network net(factor: int = 2) {
  input x: f32[B = 2, 3, H = 5, W = 7]
  output y = x -> bilinear(factor)
}
"""


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_fixed_transposed_convolution_interpolates(network, factor):
    module = network(UPSAMPLED, factor=factor).to_torch()
    x = torch.rand(2, 3, 5, 7)
    wanted = interpolate(x, scale_factor=factor, mode="bilinear")
    inside = (..., slice(factor, -factor), slice(factor, -factor))  # the border sees zeros outside
    torch.testing.assert_close(module(x)[inside], wanted[inside])
    assert module(x).shape[2:] == (5 * factor, 7 * factor)


def test_initialised_buffers_depend_on_the_seed(network):
    spec = network(
        "network net {\n  input x: f32[B = 1, 4]\n"
        "  buffer basis: f32[4, 4] = orthogonal\n  output y = (x, basis) -> matmul\n}\n"
    )
    first, same, other = (spec.to_torch(seed=seed) for seed in (1, 1, 2))
    assert not list(first.parameters())
    assert list(first.state_dict()) == ["basis"]
    assert torch.equal(first.basis, same.basis)
    assert not torch.equal(first.basis, other.basis)
    assert torch.allclose(first.basis @ first.basis.T, torch.eye(4), atol=1e-6)
    torch.manual_seed(1)
    on_meta = spec.to_torch(device="meta").to_empty(device="cpu")
    on_meta.initialise()
    assert torch.equal(on_meta.basis, first.basis)
    x = torch.randn(2, 4)
    assert torch.equal(torch.jit.script(first)(x), x @ first.basis)
