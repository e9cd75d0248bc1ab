"""`min` and `max` of sizes have the same values in generated code as in the front end."""

from __future__ import annotations

import pytest
import torch

from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source

SPEC = """
block top(rows: dim) {
  input x: [B, C, H, W]
  output x -> crop([(2, 0, min(H, rows))]) -> conv(8, 3)
}
network n {
  input x: f32[B = 1, 4, H = 32, W = 24]
  y = x -> max_pool(2, ceil=true) -> top(6)
  output y
  output z = y -> top(max(W // 4, 2)) -> roll(min(H, W) - 3, axes=2)
  output w = x -> pad([(3, 0, max(H - W, 0))]) -> mean(axis=1)
  ramp = arange(max(H, 7)) >= min(H - 3, 2 * W)
  output ramp_ = ramp -> cast(i64)
}
"""
SIZES = [(32, 24), (24, 32), (1, 1), (5, 40), (40, 5), (11, 12)]


@pytest.fixture(scope="module")
def network() -> Network:
    compiled, _ = load_network(Source("n.arch", SPEC))
    return Network(compiled)


@pytest.fixture(scope="module", params=["module", "script"])
def module(network: Network, request: pytest.FixtureRequest) -> torch.nn.Module:
    made = network.to_torch(seed=0).eval()
    return torch.jit.script(made) if request.param == "script" else made


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_one_module_accepts_every_size(network, module, height, width):
    x = torch.randn(2, 4, height, width)
    found = module(x)
    sizes = {"B": 2, "H": height, "W": width}
    for output, tensor in zip(network.outputs, found, strict=True):
        wanted = [size.evaluate(sizes) for size in output.types[0].shape]
        assert list(tensor.shape) == wanted, output.name
    y = module.top.conv(torch.nn.functional.max_pool2d(x, 2, ceil_mode=True)[:, :, :6])
    z = module.top_1.conv(y[:, :, : max(width // 4, 2)]).roll(min(height, width) - 3, 2)
    torch.testing.assert_close(found[0], y)
    torch.testing.assert_close(found[1], z)
    ramp = torch.arange(max(height, 7)) >= min(height - 3, 2 * width)
    assert found[3].tolist() == ramp.long().tolist()
    assert network.accepts(**sizes)
