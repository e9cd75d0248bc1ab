"""The passes on the page about the architecture, as they are printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import archspec
from archspec.passes import registry
from archspec.passes.base import Pass

PAGE = Path(__file__).resolve().parents[2] / "docs/architecture.md"
NET = """\
block unit { conv(8, 5, padding=2) -> relu -> dropout(0.5) }
network net {
  input x: f32[B = 2, 4, H = 16, W = 16]
  where H >= 8, W >= 8
  shared twice = conv(8, 3)
  y = x -> unit -> twice -> twice -> iterate(again: conv(8, 3, padding=1), 2)
  output y -> global_avg_pool
}
"""


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """The definitions in the code below `A pass`."""
    text = PAGE.read_text(encoding="utf-8")
    part = text[text.index("**A pass**") : text.index("**A rewrite**")]
    found: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", part, re.DOTALL):
        exec(code, found)
    return found


@pytest.fixture
def net(tmp_path: Path) -> archspec.Network:
    path = tmp_path / "net.arch"
    path.write_text(NET)
    return archspec.load(path)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Any:
    def found(one: Pass) -> None:
        load = registry.pass_named
        monkeypatch.setattr(
            "archspec.passes.manager.pass_named",
            lambda name: one if name == one.name else load(name),
        )

    return found


def test_documented_pass_removes_nodes(written: Any, net: archspec.Network, install: Any) -> None:
    install(written["PASS"])
    module, left = net.to_torch(seed=3), net.apply("without_dropout")
    x = torch.rand(2, 4, 16, 16)
    bare = left.to_torch(weights=module.state_dict())
    assert torch.equal(module.eval()(x), bare.eval()(x))
    assert torch.equal(bare.train()(x), bare.eval()(x))


def test_documented_pass_replaces_one_op_by_two(
    written: Any, net: archspec.Network, install: Any
) -> None:
    install(written["Separate"]())
    after = net.apply("separate", kernel=2)
    names = set(after.to_torch().state_dict())
    expected = {"unit.conv": (4, 5), "conv": (8, 3), "iterate.again": (8, 3)}
    assert names == {
        f"{key}.{part}"
        for key in expected
        for part in ("depthwise.weight", "pointwise.weight", "pointwise.bias")
    }
    assert after.parameters == sum(
        width * kernel**2 + width * 8 + 8 for width, kernel in expected.values()
    )
    assert after.to_torch()(torch.rand(2, 4, 16, 16)).shape == (2, 8)
    assert net.apply("separate", kernel=7).parameters == net.parameters
