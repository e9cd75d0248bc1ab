"""Attention pooling instead of the mean, in two hosts."""

import pytest
import torch

from archspec.loading import load
from tests.specs.compiled import shipped


@pytest.mark.parametrize("host", ["resnet50_attention_pool", "patchconvnet_s60"])
def test_names_of_the_network_change_only_for_the_pool(host):
    names = {name.split(".")[0] for name in shipped(host).to_torch(device="meta").state_dict()}
    assert {"cls_token", "blocks_token_only", "norm"} <= names
    if host.startswith("resnet50"):
        plain = shipped("resnet50").to_torch(device="meta").state_dict()
        assert {name.split(".")[0] for name in plain} < names


def test_a_label_gives_the_pool_a_scope_of_its_own(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        "use resnet { basic, resnet }\nuse std.attention { attention_pool }\n\n"
        "preset net = resnet(basic, [1, 1, 1, 1], pool=pool: attention_pool(heads=8))\n"
    )
    module = load(path, "net").to_torch()
    names = set(module.state_dict())
    assert "pool.cls_token" in names
    assert "pool.blocks_token_only.0.attn.q.weight" in names
    assert module(torch.randn(2, 3, 40, 50)).shape == (2, 1000)


def test_the_pool_has_its_own_initial_values():
    state = shipped("resnet50_attention_pool").to_torch(seed=0).state_dict()
    assert float(state["blocks_token_only.0.attn.q.weight"].std()) == pytest.approx(0.02, rel=0.02)
    assert float(state["fc.weight"].std()) == pytest.approx((3 * 2048) ** -0.5, rel=0.02)
