"""Names that are reserved by torch, TorchScript or named tuples."""

import io
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from archspec.cli.check import examine
from archspec.diagnostics.failure import CompileFailed
from archspec.source import Source
from archspec.syntax import parse
from archspec_torch.code.names import MAPPING_NAMES, SEQUENTIAL_NAMES, field_name
from archspec_torch.module import to_module
from archspec_torch.reserved import MODULE_NAMES, is_module_name
from archspec_torch.source import python_source
from archspec_torchscript.reserved import HIDING, KEYWORDS
from archspec_torchscript.script import to_torchscript


def reloaded(module):
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(module), buffer)
        buffer.seek(0)
        return torch.jit.load(buffer)


NAMES_OF_TORCH = """
import json
import re
from torch import nn
print(json.dumps([dir(kind()) for kind in (nn.Module, nn.Sequential, nn.ModuleDict)]))
"""


def test_reserved_names_match_the_installed_torch():
    """In a separate process: other packages add names to `nn.Module`."""
    program = [sys.executable, "-c", NAMES_OF_TORCH]
    output = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    module, *containers = (set(names) for names in json.loads(output))
    assert {name for name in module if not is_module_name(name)} == set()
    for found, further in zip(containers, (SEQUENTIAL_NAMES, MAPPING_NAMES), strict=True):
        assert {name for name in found - module if not name.startswith("_")} == further


@pytest.mark.parametrize("name", sorted(KEYWORDS))
def test_keywords_of_torchscript_cannot_be_loaded(name):
    with pytest.raises(RuntimeError):
        reloaded(Holder(nn.ModuleDict({name: nn.Linear(2, 2), "a": nn.Linear(2, 2)})))
    reloaded(Holder(nn.ModuleDict({f"{name}_": nn.Linear(2, 2), "a": nn.Linear(2, 2)})))


class Holder(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.parts.a(x)


@pytest.mark.parametrize(
    "label", ["class", '"import"', '"back\\\\slash.x"', '"größe"', "a: gated(with"]
)
def test_torchscript_refuses_what_it_could_not_load(network, label):
    layer = f"{label}: linear(4)" + (")" if "(" in label else "")
    net = network(
        f"""
network net {{
  input g: bool[B = 1], x: f32[B, 4]
  output {"(g, x, x)" if "(" in label else "x"} -> {layer}
}}
"""
    )
    with pytest.raises(CompileFailed, match="E0823"):
        to_torchscript(net.compiled)
    assert net.to_torch()(torch.tensor([True]), torch.ones(1, 4)).shape == (1, 4)


def test_files_with_any_labels_can_be_loaded(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  output x -> "conv1/bn": linear(4) -> block: linear(4) -> output: linear(4) -> network: linear(4)
    -> self: linear(4) -> "0": linear(4) -> "a b": linear(4) -> T: linear(4) -> "x.keys": linear(4)
    -> "x.items.0": linear(4) -> lambda: linear(4) -> input: linear(4) -> "{{x}}": linear(4)
}
"""
    )
    model = net.to_torch()
    x = torch.randn(2, 4)
    loaded = reloaded(model)
    torch.testing.assert_close(loaded(x), model(x), rtol=1e-6, atol=1e-6)
    assert list(loaded.state_dict()) == list(model.state_dict())
    assert "conv1/bn.weight" in model.state_dict()


def test_sequence_with_children_named_like_methods(network):
    net = network(
        """
network net {
  input x: f32[B = 1, 4]
  output x -> stack: ("insert": linear(4) -> "append.a": linear(4) -> "append.b": linear(4))
}
"""
    )
    model = net.to_torch()
    assert list(model.state_dict())[::2] == [
        "stack.insert.weight",
        "stack.append.a.weight",
        "stack.append.b.weight",
    ]
    reloaded(model)(torch.ones(1, 4))


@pytest.mark.parametrize("name", ["_modules", "_backward_hooks", "__class__", "a.__call__"])
def test_private_names_of_modules_are_refused(network, name):
    net = network(
        f'network net {{\n  input x: f32[B = 1, 4]\n  output x -> "{name}": linear(4)\n}}'
    )
    with pytest.raises(CompileFailed, match="E0820"):
        to_module(net.compiled)


# ---------------------------------------------------------------------- derived names

KEPT = sorted(MODULE_NAMES | {"__init__", "__class__"} | KEYWORDS | HIDING)


def is_free(name):
    """Whether a block can have this name, because it is not a keyword."""
    return (
        name != "training"
        and not parse(Source("net.arch", f"block {name} {{ relu }}\n")).diagnostics
    )


def blocks(names):
    return "\n".join(f"block {name} {{ linear(4) -> relu }}" for name in names)


def test_derived_names_that_a_module_cannot_have_get_an_underscore(network):
    names = [name for name in KEPT if is_free(name)]
    assert len(names) > 100
    used = [f"{name} -> {name}" for name in names]
    net = network(
        f"{blocks(names)}\nnetwork net {{\n  input x: f32[B = 1, 4]\n"
        f"  output x -> {' -> '.join(used)}\n}}"
    )
    model = net.to_torch()
    wanted = [f"{name}{end}" for name in names for end in ("_", "_1")]
    assert [name for name, _ in model.named_children()] == wanted
    assert [row.name for row in net.report().rows] == [f"{name}_ .. {name}_1" for name in names]
    loaded, x = reloaded(model), torch.randn(2, 4)
    torch.testing.assert_close(loaded(x), model(x), rtol=1e-6, atol=1e-6)
    assert list(loaded.state_dict()) == list(model.state_dict())


@pytest.mark.parametrize("name", KEPT)
def test_check_warns_of_an_invalid_explicit_label(name, tmp_path):
    path = tmp_path / "net.arch"
    label = f'"{name}": linear(4)'
    text = f"network net {{\n  input x: f32[B = 1, 4]\n  output x -> {label}\n}}"
    path.write_text(text, encoding="utf-8")
    found = [(item.code, item.severity.value) for item in examine(path).diagnostics]
    assert found == [("E0820" if is_module_name(name) else "E0823", "warning")]


def test_tap_paths_use_the_name_of_the_module(network):
    net = network(
        """
block double(width: int) { conv: conv(width, 3) -> relu }
network net { input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> double(4) -> double(5) -> conv(6, 3) }
network taps { input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> body: tap(net, "double_", "double_1.conv") }
""",
        "taps",
    )
    keys = {key.rpartition(".")[0] for key in net.to_torch(device="meta").state_dict()}
    assert keys == {"body.double_.conv", "body.double_1.conv"}


# ---------------------------------------------------------------------- names of outputs


def test_outputs_keep_their_names(network):
    names = ["forward", "self", "input", "len", "T", "torch", "Tensor", "nn", "x", "class", "count"]
    lines = "\n".join(f"  output {name} = x * {at}" for at, name in enumerate(names))
    net = network(f"network net {{\n  input x: f32[B = 1, 4]\n{lines}\n}}")
    model = to_module(net.compiled)
    x = torch.ones(2, 4)
    for one in (model, reloaded(model)):
        found = one(x)
        assert found._fields == (*names[:-2], "class_", "count_")
        assert [float(item[0, 0]) for item in found] == list(range(len(names)))


def test_output_names_that_cannot_be_fields():
    taken = {"x"}
    assert [field_name(name, taken) for name in ("_x", "_y", "is", "1st", "", "a b", "index")] == [
        *("x_2", "y", "is_", "output_1st", "output", "a_b", "index_"),
    ]


def test_words_in_strings_do_not_cause_imports(network):
    net = network(
        """
block torch { linear(4) }
block Optional { linear(4) }
network net {
  input x: f32[B = 1, 4]
  output x -> a: torch -> "math/F": Optional
}
"""
    )
    text, _ = python_source(net.compiled)
    imports = [line for line in text.splitlines() if line.startswith(("import", "from"))]
    assert imports == [
        "from typing import Tuple",
        "import torch",
        "from torch import Tensor, nn",
    ]


def test_marks_set_by_dynamo_are_reserved_names():
    """It sets them after it has run, on all modules of a process."""
    from torch._dynamo import mutation_guard

    source = Path(mutation_guard.__file__).read_text(encoding="utf-8")
    marks = set(re.findall(r"___\w+", source))
    assert marks
    assert {mark for mark in marks if not is_module_name(mark)} == set()
