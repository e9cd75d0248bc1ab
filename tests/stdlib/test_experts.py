"""Mixtures of experts: values, and that no expert is computed for tokens routed to others."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

import archspec

TEXT = """
use std.experts {{ mixture_of_experts }}
network net(count: int = 8, k: int = 2) {{
  input x: f32[B = 2, T = 5, 6]
  output x -> mlp: mixture_of_experts(count, k, hidden=10{more})
}}
"""


@pytest.fixture
def network(tmp_path):
    def load(text, **parameters):
        path = tmp_path / "net.arch"
        path.write_text(text, encoding="utf-8")
        return archspec.load(path, **parameters)

    return load


def drawn(net):
    model = net.to_torch(dtype=torch.float64)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


def by_tokens(model, x, k, normalised=True):
    """Each token through its experts, one after another."""
    mixture, out = model.mlp, torch.zeros_like(x)
    for place in [(b, t) for b in range(x.shape[0]) for t in range(x.shape[1])]:
        chances = (mixture.gate.weight @ x[place]).softmax(0)
        scores, chosen = chances.topk(k)
        for score, number in zip(
            scores / scores.sum() if normalised else scores, chosen, strict=True
        ):
            gate, up = (mixture.experts.gate_up_proj[number] @ x[place]).chunk(2)
            out[place] += score * (mixture.experts.down_proj[number] @ (F.silu(gate) * up))
    return out


@pytest.mark.parametrize(("count", "k"), [(8, 2), (3, 3), (4, 1), (1, 1)])
@pytest.mark.parametrize("normalised", [True, False])
def test_each_token_is_routed_to_its_experts(network, count, k, normalised):
    more = "" if normalised else ", normalised=false"
    model = drawn(network(TEXT.format(more=more), count=count, k=k))
    x = torch.randn(2, 7, 6, dtype=torch.float64)
    wanted = by_tokens(model, x, k, normalised)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(model)
    exported = torch.export.export(model, (x,)).module()
    for one in (model, scripted, exported):
        torch.testing.assert_close(one(x), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 8])
def test_costs_are_k_of_n_of_the_dense_layer(network, k):
    net = network(TEXT.format(more=""), k=k)
    router, experts = 10 * 6 * 8, 10 * 8 * (20 * 6 + 10 * 6)
    assert net.macs() == router + experts * k // 8
    model, x = drawn(net), torch.randn(2, 5, 6, dtype=torch.float64)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    assert counter.get_total_flops() == 2 * net.macs()
    assert net.parameters == 6 * 8 + 8 * (20 * 6 + 10 * 6)


def test_expert_without_tokens_has_a_zero_gradient(network):
    model = drawn(network(TEXT.format(more=""), k=1))
    model(torch.randn(1, 1, 6, dtype=torch.float64)).sum().backward()
    gradient = model.mlp.experts.gate_up_proj.grad
    assert [bool(one.any()) for one in gradient].count(True) == 1


def test_choosing_more_experts_than_exist_is_refused(network):
    with pytest.raises(archspec.CompileFailed, match="3 of 2 experts"):
        network(TEXT.format(more=""), count=2, k=3)


def test_values_and_names_are_those_of_transformers(network):
    mixtral = pytest.importorskip("transformers.models.mixtral.modeling_mixtral")
    config = mixtral.MixtralConfig(
        hidden_size=6, intermediate_size=10, num_local_experts=8, num_experts_per_tok=2
    )
    theirs = mixtral.MixtralSparseMoeBlock(config)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model = network(TEXT.format(more="")).to_torch()
    model.mlp.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(model(x), theirs(x), rtol=1e-5, atol=1e-5)
