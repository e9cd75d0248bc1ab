"""FractalNet: the fractal of the paper, its joins, and its columns as separate networks."""

import pytest
import torch
import torch.nn.functional as F

from tests.specs.compiled import shipped

SMALL = {"widths": (4, 6, 6), "dropouts": (0.0, 0.1, 0.2), "classes": 5}


def joins(columns: int, **options) -> list[int]:
    """The number of inputs of each join in the first block, in order of computation."""
    network = shipped("fractalnet", columns=columns, widths=(4,), dropouts=(0.0,), **options)
    graph = network.graph(depth=None)
    found = [node for node, name in graph.nodes(data="name") if name == "join"]
    return [graph.in_degree(node) for node in found]


@pytest.mark.parametrize(
    ("columns", "arities"),
    [(2, [2]), (3, [2, 3]), (4, [2, 3, 2, 4]), (5, [2, 3, 2, 4, 2, 3, 2, 5])],
)
@pytest.mark.parametrize("pool_first", [False, True])
def test_adjacent_joins_are_merged(columns, arities, pool_first):
    assert joins(columns, pool_first=pool_first) == arities


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
def test_number_of_units_agrees_with_the_paper(columns):
    network = shipped("fractalnet", columns=columns, widths=(4,), dropouts=(0.0,), bias=False)
    units = 2**columns - 1
    first, others, classifier = 3 * 4 * 9, 4 * 4 * 9, 4 * 10 + 10
    assert network.parameters == columns * first + (units - columns) * others + classifier


def unit(module, x):
    return F.relu(module.bn(module.conv(x)))


def columns_of(module, c, x):
    """The recursion of the paper, with the weights of the generated module."""
    if c == 1:
        return [unit(module.unit, x)]
    joined = torch.stack(columns_of(module.first, c - 1, x)).mean(0)
    return [unit(module.unit, x), *columns_of(module.second, c - 1, joined)]


def by_hand(module, c, blocks, x, pool_first):
    for index in range(1, blocks + 1):
        outputs = columns_of(getattr(module, f"block{index}").columns, c, x)
        if pool_first:
            x = torch.stack([F.max_pool2d(y, 2) for y in outputs]).mean(0)
        else:
            x = F.max_pool2d(torch.stack(outputs).mean(0), 2)
    return module.fc(x.mean((2, 3)))


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
@pytest.mark.parametrize("pool_first", [False, True])
def test_inference_averages_all_columns(columns, pool_first):
    network = shipped("fractalnet", columns=columns, pool_first=pool_first, **SMALL)
    module = network.to_torch().eval()
    x = torch.randn(2, 3, 16, 16)
    with torch.inference_mode():
        wanted = by_hand(module, columns, 3, x, pool_first)
        torch.testing.assert_close(module(x), wanted, rtol=1e-4, atol=1e-5)


def chain(module, c, x, column):
    """Column `column` of `c` alone, where 1 is the shallowest."""
    if column == 1:
        return unit(module.unit, x)
    return chain(module.second, c - 1, chain(module.first, c - 1, x, column - 1), column - 1)


@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_single_column(column):
    """It computes its units in sequence, with part of the weights."""
    network = shipped("fractalnet", columns=4, **SMALL)
    whole = network.to_torch().eval()
    alone = network.extract(column=column).to_torch().eval()
    state = whole.state_dict()
    assert set(alone.state_dict()) <= set(state)
    alone.load_state_dict({name: state[name] for name in alone.state_dict()})
    image = torch.randn(2, 3, 16, 16)
    with torch.inference_mode():
        x = image
        for block in (whole.block1, whole.block2, whole.block3):
            x = F.max_pool2d(chain(block.columns, 4, x, column), 2)
        wanted = whole.fc(x.mean((2, 3)))
        torch.testing.assert_close(alone(image), wanted, rtol=1e-4, atol=1e-5)


def test_each_column_has_an_output():
    """A column has the same output within the network and alone, with the same weights."""
    network = shipped("fractalnet", columns=3, anytime=True, **SMALL)
    plain = shipped("fractalnet", columns=3, **SMALL)
    whole = network.to_torch().eval()
    state = whole.state_dict()
    image = torch.randn(2, 3, 16, 16)
    with torch.inference_mode():
        answer = whole(image)
        for column, logits in enumerate(answer.column_logits, start=1):
            alone = plain.extract(column=column).to_torch(weights=state_of(plain, state, column))
            torch.testing.assert_close(alone.eval()(image), logits, rtol=1e-4, atol=1e-5)
        joined = plain.to_torch(weights=state).eval()(image)
    assert len(answer.column_logits) == 3
    torch.testing.assert_close(answer.logits, joined, rtol=1e-4, atol=1e-5)


def state_of(plain, state, column):
    """The weights of a column."""
    return {name: state[name] for name in plain.extract(column=column).to_torch().state_dict()}


@pytest.mark.parametrize("doubling", ["none", "conv", "unit"])
def test_every_column_learns_under_deep_supervision(doubling):
    options = {**SMALL, "doubling": doubling, "dropouts": (0.0, 0.0, 0.0)}
    network = shipped("fractalnet", columns=3, anytime=True, **options)
    module = network.to_torch().train()
    answer = module(torch.randn(4, 3, 16, 16))
    sum(logits.square().sum() for logits in answer.column_logits).backward()
    weights = [p for p in module.parameters() if p.dim() > 1]
    assert all(p.grad is not None and bool(p.grad.any()) for p in weights)
