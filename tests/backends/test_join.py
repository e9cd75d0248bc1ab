"""Joins and drop-path: what is averaged, what is not computed, what is drawn at random."""

from pathlib import Path

import pytest
import torch
from torch import nn

import archspec
from archspec_torch.module import load_source, to_module
from archspec_torch.source import python_source
from tests.backends.scripts import script

SPEC = Path(__file__).parents[2] / "specs" / "fractalnet.arch"


def small(**more):
    settings = {"columns": 3, "widths": [4, 6], "dropouts": [0.0, 0.0], "classes": 3, "size": 8}
    return archspec.load(SPEC, "fractalnet", **{**settings, "affine": True, **more})


def units(module):
    return [item for item in module.modules() if isinstance(item, nn.Conv2d)]


def reference(model, x):
    """f_1 = unit, f_{c+1} = join(unit, f_c . f_c): columns passed on separately, pooled, joined."""

    def unit(m, z):
        return torch.relu(m.bn(m.conv(z)))

    def columns(m, z):
        found = [unit(m.unit, z)]
        if getattr(m, "first", None) is not None:
            inner = columns(m.first, z)
            found += columns(m.second, sum(inner) / len(inner))
        return found

    for block in (model.block1, model.block2):
        found = [nn.functional.max_pool2d(one, 2) for one in columns(block.columns, x)]
        x = sum(found) / len(found)
    return model.fc(x.mean((2, 3)))


def test_eval_averages_all_columns():
    model = to_module(small().compiled).eval()
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(model(x), reference(model, x))
    torch.testing.assert_close(script(model)(x), model(x), rtol=1e-6, atol=1e-6)


def used(model, x):
    """Names of the convolutions that ran, and whether the others have no gradient."""
    ran = []
    hooks = [
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    model.zero_grad(set_to_none=True)
    model(x).sum().backward()
    for hook in hooks:
        hook.remove()
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            assert (module.weight.grad is None) == (name not in ran)
    return frozenset(ran)


def test_global_sampling_computes_one_column_of_the_whole_network():
    net = small(**{"global": 1.0})
    model = to_module(net.compiled).train()
    x = torch.randn(4, 3, 8, 8)
    seen = set()
    for seed in range(30):
        torch.manual_seed(seed)
        seen.add(used(model, x))
    # column c has 2^c convolutions per block, and is the same column in both blocks
    assert sorted(len(names) for names in seen) == [2, 4, 8]


def test_global_column_equals_the_extracted_network():
    net = small(**{"global": 1.0})
    model = to_module(net.compiled).train()
    x = torch.randn(4, 3, 8, 8)
    outputs = []
    for column in (1, 2, 3):
        plain = to_module(net.extract(column=column).compiled).train()
        state = model.state_dict()
        plain.load_state_dict({key: state[key].clone() for key in plain.state_dict()})
        outputs.append((sum(1 for _ in units(plain)), plain(x)))
    found = set()
    for seed in range(20):
        torch.manual_seed(seed)
        names = used(model, x)
        torch.manual_seed(seed)
        y = model(x)
        (match,) = [out for count, out in outputs if count == len(names)]
        torch.testing.assert_close(y, match)
        found.add(len(names))
    assert found == {2, 4, 8}


def test_local_sampling_never_drops_everything():
    text, _ = python_source(small().compiled)
    survivors = load_source(text).survivors
    torch.manual_seed(0)
    rolls = [survivors(3, 0.15, -1, 3, True) for _ in range(4000)]
    assert all(any(live) for live in rolls)
    share = sum(sum(live) for live in rolls) / 12000
    # dropped with probability p, and revived with p^3 / 3
    assert share == pytest.approx(1 - 0.15 + 0.15**3 / 3, abs=0.01)
    revived = [survivors(3, 1.0, -1, 3, True) for _ in range(300)]
    assert {tuple(live) for live in revived} == {
        (True, False, False),
        (False, True, False),
        (False, False, True),
    }
    assert survivors(3, 0.9, -1, 3, False) == [True, True, True]
    assert survivors(2, 0.15, 2, 3, True) == [False, True]
    state = torch.get_rng_state()
    assert survivors(1, 0.9, -1, 3, True) == [True]  # and it draws nothing
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("columns", [3, 5])
def test_a_fractal_is_one_class_at_all_depths(columns):
    text, _ = python_source(small(columns=columns).compiled)
    assert text.count("The rule `columns`") == 1
    assert "self.second = Columns(in_channels=width, c=c - 1, width=width)" in text
    assert f"Columns(in_channels=in_channels, c={columns}, width=width)" in text
    module = load_source(text)
    shallow = module.Columns(in_channels=3, c=1, width=4)
    x = torch.randn(2, 3, 8, 8)
    (only,) = shallow(x, [True], -1)
    assert torch.equal(only, shallow.unit(x))
    deep = module.Columns(in_channels=3, c=3, width=4).eval()
    one, *others = deep(x, [True, False, False], -1)
    assert torch.equal(one, deep.unit(x))
    assert others == [None, None]
    assert deep.second.first.unit.conv.in_channels == 4
    scripted = torch.jit.script(deep)
    for mine, its in zip(deep(x, [True] * 3, -1), scripted(x, [True] * 3, -1), strict=True):
        torch.testing.assert_close(mine, its)


def test_local_sampling_skips_what_was_dropped():
    model = to_module(small(drop=0.6, **{"global": 0.0}).compiled).train()
    x = torch.randn(4, 3, 8, 8)
    counts = set()
    for seed in range(20):
        torch.manual_seed(seed)
        counts.add(len(used(model, x)))
    assert max(counts) <= 14
    assert len(counts) > 3


def test_policy_mixes_per_mini_batch():
    text, _ = python_source(small().compiled)
    sample = load_source(text).sample_column
    torch.manual_seed(0)
    drawn = [sample(3, 0.5, True) for _ in range(3000)]
    assert drawn.count(-1) / 3000 == pytest.approx(0.5, abs=0.03)
    assert {drawn.count(k) for k in range(3)} <= set(range(400, 600))
    assert sample(3, 1.0, False) == -1


def test_training_is_deterministic_and_scriptable():
    net = small(dropouts=[0.1, 0.2])
    model = to_module(net.compiled).train()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    x = torch.randn(4, 3, 8, 8)
    for seed in range(6):
        results = []
        for one in (model, model, script(model)):
            one.load_state_dict(state)
            one.train()
            torch.manual_seed(seed)
            results.append(one(x))
        torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
        torch.testing.assert_close(results[0], results[2])


def test_joins_without_drop_are_plain_means(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  output x -> [linear(3), linear(3), linear(3)] -> join
}
"""
    )
    text, _ = python_source(net.compiled)
    assert "survivors" not in text
    assert "/ 3" in text


def test_join_within_a_dropped_branch(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  output x -> [
    a: linear(4),
    b: linear(4) -> [c: linear(4), d: linear(4)] -> join(drop=0.5) -> e: linear(4),
  ]
    -> join(drop=0.5)
}
"""
    )
    model = to_module(net.compiled).train()
    scripted = script(model)
    ran = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
    seen = set()
    x = torch.randn(2, 4)
    for seed in range(60):
        torch.manual_seed(seed)
        ran.clear()
        y = model(x)
        seen.add(frozenset(ran))
        assert ("e" in ran) == ("b" in ran) == bool({"c", "d"} & set(ran))
        torch.manual_seed(seed)
        torch.testing.assert_close(scripted(x), y)
    assert len(seen) == 7  # only a; or b and e with c, d or both, with or without a


def test_drop_path_for_the_batch_skips_the_branch(network):
    net = network(
        """
block unit {
  input x: [B, D]
  h = x -> a: linear(D) -> relu -> b: linear(D) -> drop_path(0.4, mode="batch")
  output x + h
}
network net {
  input x: f32[B = 1, 4]
  output x -> for i in 0..3 { "unit{i}": unit }
}
"""
    )
    model = to_module(net.compiled).train()
    scripted = script(model)
    ran = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
    x = torch.randn(2, 4)
    counts = []
    for seed in range(200):
        torch.manual_seed(seed)
        ran.clear()
        y = model(x)
        assert len(ran) % 2 == 0
        counts.append(len(ran) // 2)
        expected = x
        for unit in (model.unit0, model.unit1, model.unit2):
            if any(
                module in ran
                for module in (
                    f"unit{i}.a" for i in range(3) if model.get_submodule(f"unit{i}") is unit
                )
            ):
                expected = expected + unit.b(torch.relu(unit.a(expected))) / 0.6
        torch.testing.assert_close(y, expected)
        torch.manual_seed(seed)
        torch.testing.assert_close(scripted(x), y)
    assert sum(counts) / 600 == pytest.approx(0.6, abs=0.06)
    ran.clear()
    model.eval()(x)
    assert len(ran) == 6


@pytest.mark.parametrize("mode", ["row", "batch"])
def test_drop_path_scales_in_inference(network, mode):
    """As in the paper: training keeps a branch or not, and inference scales it."""
    net = network(
        f"""
network net {{
  input x: f32[B = 1, 4]
  output x + (x -> a: linear(4) -> drop_path(0.25, "{mode}", scale="inference"))
}}
"""
    )
    model = to_module(net.compiled)
    scripted = script(model)
    x = torch.randn(1, 4)
    branch = model.a(x)
    torch.testing.assert_close(model.eval()(x), x + 0.75 * branch)
    torch.testing.assert_close(scripted.eval()(x), x + 0.75 * branch)
    model.train()
    scripted.train()
    kept = 0
    for seed in range(400):
        torch.manual_seed(seed)
        y = model(x)
        kept += not torch.equal(y, x)
        torch.testing.assert_close(y, x if torch.equal(y, x) else x + branch)
        torch.manual_seed(seed)
        torch.testing.assert_close(scripted(x), y)
    assert kept / 400 == pytest.approx(0.75, abs=0.06)
