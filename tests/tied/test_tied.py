"""Tied weights: one tensor with several names, in all uses of a network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

import archspec
from archspec.analysis.counting import unused_parameters
from archspec.diagnostics.failure import CompileFailed
from archspec.network import Network
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec_torchscript.script import to_torchscript
from tests.tied import reference

HERE = Path(__file__).parent
TIED = {"gpt2": reference.GPT2_TIED, "t5": reference.T5_TIED}
GOLDEN = json.loads(reference.GOLDEN.read_text())
SIZES = {"gpt2": 24 * 16, "t5": 16 * 16}


def spec(name: str) -> Network:
    return archspec.load(HERE / f"{name}.arch", name)


def network(text: str) -> Network:
    compiled, _ = load_network(Source("tied.arch", text))
    return Network(compiled)


def run(name: str, module: torch.nn.Module) -> torch.Tensor:
    if name == "gpt2":
        return module(reference.IDS)
    return module(reference.IDS, reference.DECODER_IDS)


def weights(name: str) -> dict[str, torch.Tensor]:
    return reference.filled(spec(name).to_torch(device="meta").state_dict(), TIED[name])


@pytest.mark.parametrize("name", TIED)
def test_outputs_are_those_of_transformers(name: str) -> None:
    module = spec(name).to_torch(weights=weights(name), dtype=torch.float64).eval()
    expected = torch.tensor(GOLDEN[name], dtype=torch.float64)
    torch.testing.assert_close(run(name, module).flatten(), expected, rtol=0, atol=1e-7)


@pytest.mark.live
@pytest.mark.parametrize("name", TIED)
def test_transformers_ties_the_same_tensors(name: str) -> None:
    pytest.importorskip("transformers")
    model = reference.gpt2() if name == "gpt2" else reference.t5()
    net = spec(name)
    assert net.parameters == sum(item.numel() for item in model.parameters())
    module = net.to_torch(weights=model.state_dict(), dtype=torch.float64).eval()
    assert set(module.state_dict()) == set(model.state_dict())
    found = reference.outputs()[name].flatten()
    torch.testing.assert_close(
        found, torch.tensor(GOLDEN[name], dtype=torch.float64), rtol=0, atol=1e-7
    )


def test_gpt2_has_the_parameters_of_the_paper() -> None:
    assert archspec.load(HERE / "gpt2.arch", "gpt2_small").parameters == 124_439_808


@pytest.mark.parametrize("name", TIED)
def test_tied_tensor_counts_once_and_has_all_names(name: str) -> None:
    net = spec(name)
    module = net.to_torch()
    assert sum(item.numel() for item in module.parameters()) == net.parameters
    assert sum(row.parameters for row in net.report().rows) == net.parameters
    assert unused_parameters(net.compiled) == 0
    state = module.state_dict()
    assert set(TIED[name]) <= set(state)
    assert len({state[one].data_ptr() for one in TIED[name]}) == 1
    run(name, module).sum().backward()
    (one,) = {id(module.get_parameter(path)) for path in TIED[name]}
    assert one


@pytest.mark.parametrize("name", TIED)
def test_tied_tensor_has_the_initial_values_of_its_source(name: str) -> None:
    table = spec(name).to_torch(seed=3).state_dict()[TIED[name][0]]
    expected = 0.02 if name == "gpt2" else 1.0
    assert table.std().item() == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("name", TIED)
def test_checkpoints_may_use_any_of_the_names(name: str) -> None:
    net, full = spec(name), weights(name)
    for kept in TIED[name]:
        left = {
            path: value for path, value in full.items() if path == kept or path not in TIED[name]
        }
        module = net.to_torch(weights=left, dtype=torch.float64)
        for path in TIED[name]:
            torch.testing.assert_close(module.state_dict()[path], full[path])
    none = {path: value for path, value in full.items() if path not in TIED[name]}
    with pytest.raises(CompileFailed, match="missing"):
        net.to_torch(weights=none)


def _refused(net: Network, state: Mapping[str, torch.Tensor]) -> str:
    with pytest.raises(CompileFailed) as caught:
        net.to_torch(weights=state)
    (found,) = caught.value.diagnostics
    assert found.code == "E0842"
    return found.message + " ".join(found.notes)


def test_different_values_for_tied_names_are_refused() -> None:
    state = weights("gpt2")
    state["lm_head.weight"] = state["lm_head.weight"] + 1
    message = _refused(spec("gpt2"), state)
    assert "1 tied but different" in message
    assert "`lm_head.weight` and `transformer.wte.weight`" in message


@pytest.mark.parametrize("name", TIED)
def test_torchscript_and_pickles_keep_ties(name: str, tmp_path: Path) -> None:
    net = spec(name)
    module = net.to_torch(weights=weights(name)).eval()
    scripted = to_torchscript(net.compiled, module=module)
    torch.jit.save(scripted, tmp_path / "net.pt")
    again = torch.jit.load(tmp_path / "net.pt")
    torch.testing.assert_close(run(name, again), run(name, module))
    assert set(again.state_dict()) >= set(module.state_dict())
    torch.save(module, tmp_path / "module.pt")
    loaded = torch.load(tmp_path / "module.pt", weights_only=False)
    assert sum(item.numel() for item in loaded.parameters()) == net.parameters


def test_built_files_can_be_loaded(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = weights("gpt2")
    del state["lm_head.weight"]  # as transformers saves it
    save_file({path: value.float() for path, value in state.items()}, tmp_path / "one.safetensors")
    net = spec("gpt2")
    net.build(tmp_path / "built", weights=tmp_path / "one.safetensors")
    written = torch.load(tmp_path / "built" / "gpt2.weights.pt")
    assert set(written) == set(weights("gpt2"))
    expected = run("gpt2", net.to_torch(weights=weights("gpt2")))
    torch.testing.assert_close(run("gpt2", net.to_torch(weights=written)), expected)


def test_tied_weights_are_not_folded() -> None:
    net = network("""
        network net {
          input x: f32[B = 2, 4, H = 8, W = 8]
          output x -> a: conv(4, 3, bias=false) -> bn: batch_norm -> b: conv(4, 3, bias=false)
          tie "a.weight" = "b.weight"
        }
    """)
    module, folded = net.to_torch(seed=1).eval(), net.fold().to_torch(seed=1).eval()
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(folded(x), module(x))
    assert net.parameters == 144 + 8


def test_ties_of_blocks_and_of_both_modes() -> None:
    net = network("""
        block pair { input x: [B, D]
          output x -> a: linear(D) -> b: linear(D)
          tie "b.weight" = "a.weight" }
        network net {
          input x: f32[B = 2, 8]
          y = x -> for i in 0..3 { pair }
          output y
          output aux = y -> aux: linear(8) when training
          tie "aux.weight" = "2.a.weight"
        }
    """)
    module = net.to_torch()
    assert net.parameters == 3 * (64 + 16) + 8
    assert sum(item.numel() for item in module.parameters()) == net.parameters
    assert module.aux.weight is module.get_parameter("2.b.weight")


def test_extracted_parts_have_no_tie() -> None:
    compiled, _ = load_network(
        Source(
            "tap.arch",
            """
            network lm {
              input ids: i64[B = 1, N = 4]
              output ids -> embed: embedding(10, 8) -> mid: linear(8)
                -> head: linear(10, bias=false)
              tie "head.weight" = "embed.weight"
            }
            network net {
              input ids: i64[B = 1, N = 4]
              output ids -> lm: tap(lm, "mid")
            }
            """,
        ),
        "net",
    )
    net = Network(compiled)
    module = net.to_torch()
    assert net.parameters == sum(item.numel() for item in module.parameters()) == 80 + 72


@pytest.mark.parametrize(
    ("ties", "message"),
    [
        ('tie "head.weight" = "embedding.weight"', "no weights called `embedding.weight`"),
        ('tie "head" = "embed.weight"', "no weights called `head`"),
        ('tie "mid.weight" = "embed.weight"', "the same shape"),
        ('tie "head.weight" = "head.weight"', "tied to itself"),
        ('tie "head.weight" = "embed.weight"\n tie "head.weight" = "embed.weight"', "tied already"),
        ('tie "head.weight" = "embed.weight"\n tie "embed.weight" = "head.weight"', "to itself"),
        ('tie "n.running_mean" = "n.running_var"', "buffers cannot"),
    ],
)
def test_invalid_ties(ties: str, message: str) -> None:
    text = f"""
    network net {{
      input ids: i64[B = 2]
      output ids -> embed: embedding(10, 8) -> mid: linear(8) -> n: batch_norm
        -> head: linear(10, bias=false)
      {ties}
    }}
    """
    with pytest.raises(CompileFailed) as caught:
        network(text)
    assert [item.code for item in caught.value.diagnostics] == ["E0610"]
    assert message in caught.value.diagnostics[0].message


def test_documented_recipe_builds() -> None:
    page = Path(archspec.__file__).parents[1] / "docs" / "write-your-own.md"
    found = re.findall(r'^```arch title="[^"]*"\n(.*?)^```', page.read_text("utf-8"), re.M | re.S)
    assert [network(text).to_torch(device="meta") is not None for text in found] == [True, True]
    state = network(found[1]).to_torch().state_dict()
    assert len({state[name].data_ptr() for name in reference.T5_TIED}) == 1
