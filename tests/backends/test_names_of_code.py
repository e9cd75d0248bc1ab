"""No name of a spec shadows one that generated code, or the code of an archive, uses.

Each test has a network in which many names have one role, with ops whose code uses many names.
"""

import ast
import builtins
import keyword
import re
import warnings
from functools import cache

import pytest
import torch

from archspec.diagnostics.failure import CompileFailed
from archspec.graph.codegen.sizes import Locals
from archspec.semantics.compile import load_network
from archspec.source import Source
from archspec.syntax import parse
from archspec.targets.preflight import foreseen, is_reserved
from archspec.types.dim import Dim
from archspec_torch.code.sizes import size_variable
from archspec_torch.module import to_module
from archspec_torch.prelude import helper_names
from archspec_torch.source import python_source
from archspec_torchscript import check
from archspec_torchscript.reserved import HIDING, KEYWORDS
from archspec_torchscript.script import save_scripted

SPEC = """
block own_modes {{ input own_p
  own_h = own_p -> linear(4)
  output own_y = own_h
  output own_z = own_h -> relu when training }}
block own_sized(own_n: int) {{ linear(own_n) -> linear(4) }}
block own_fixed {{ init linear.weight = orthogonal
  linear(4) -> relu }}
block own_told(own_k: dim) {{ input own_p
  output own_y = own_p + (ones([own_k // 2, 4]) -> mean(0)) }}
{definitions}
network {network} {{
  input own_x: f32[own_B = 2, 4], own_g: bool[own_B], own_s: f32[own_B, 3, own_size = 9]
{inputs}
  draw own_drawn = mixed(0.5)
  buffer own_buffer: f32[4] = ones([4]) * 2
{lines}
  own_h = own_last + own_buffer -> own_sized(4) -> own_sized(5) -> own_fixed
  own_a = own_h -> iterate(linear(4), 2)
  own_b = (own_a, own_a -> relu -> drop_path(0.5, mode=batch)) -> add
  own_c = (own_a -> linear(4), own_b -> drop_path(0.2)) -> join(drop=0.2, draw="own_drawn")
  own_e = own_c -> own_told(own_size)
  own_m = own_e -> own_modes
  own_f = if training {{ own_m -> add }} else {{ own_m }}
  own_d = (own_g, own_f, own_f) -> gated(linear(4))
  output own_one = own_d
  output own_two = own_s -> roll(own_size // 2, axes=2)
  output own_three = own_d -> relu when training
}}
"""


def chain(stage, names):
    """One statement for each name."""
    before = "own_x"
    for number, name in enumerate(names):
        yield f"  own_d{number} = {before} -> {stage.format(name)}"
        before = f"own_d{number}"
    yield f"  own_last = {before}"


def listed(text, names):
    return ",\n".join(text.format(name, number) for number, name in enumerate(names))


def sums(terms):
    """A chain of sums."""
    before = "own_x"
    for number, term in enumerate(terms):
        yield f"  own_d{number} = {before} + {term}"
        before = f"own_d{number}"
    yield f"  own_last = {before}"


def labels(names):
    return {"lines": chain("{}: linear(4)", names)}


def scopes(names):
    return {"lines": chain("{}: (linear(4) -> relu)", names)}


def regions(names):
    return {"lines": chain("iterate({}: linear(4), 2)", names)}


def derived(names):
    blocks = (f"block {name} {{ linear(4) -> relu }}" for name in names)
    return {"definitions": blocks, "lines": chain("{0} -> {0}", names)}


def draws(names):
    stage = '[linear(4), relu] -> join(drop=0.5, draw="{}")'
    return {"lines": chain(stage, names)}


def parameters(names):
    return {"inputs": (f"  param {name}: f32[4] = ones" for name in names), "lines": sums(names)}


def buffers(names):
    made = (f"  buffer {name}: f32[4] = ones([4]) * 3" for name in names)
    return {"inputs": made, "lines": sums(names)}


def bindings(names):
    made = [f"  {name} = own_x * {number}" for number, name in enumerate(names)]
    return {"lines": [*made, *sums(names)]}


def outputs(names):
    made = (f"  output {name} = own_x * {at}" for at, name in enumerate(names))
    return {"lines": [*made, "  own_last = own_x"]}


def inputs(names):
    return {"inputs": [f"  input {listed('{}: f32[4]', names)}"], "lines": sums(names)}


def inputs_of_blocks(names):
    added = "\n".join(f"own_d{at + 1} = own_d{at} + {name}" for at, name in enumerate(names))
    given = f"input own_d0,\n{listed('{}', names)}"
    block = f"block own_many {{ {given}\n{added}\n  output own_y = own_d{len(names)} }}"
    copies = listed("relu", names)
    return {"definitions": [block], "lines": chain(f"[relu, {copies}] -> own_many", [""])}


def arguments(names):
    layers = "\n -> ".join(f"dropout({name})" for name in names)
    block = f"block own_many({listed('{}: float', names)}) {{ {layers} }}"
    calls = (f"own_many({listed(f'{{1}} / {by}', names)})" for by in (1000, 1001))
    return {"definitions": [block], "lines": chain("{}", calls)}


def dims(names):
    given = listed("own_i{1}: f32[{0} = 3, 4]", names)
    terms = [
        f"(own_i{number} -> roll({name} // 2, axes=0) -> sum(0))"
        for number, name in enumerate(names)
    ]
    return {"inputs": [f"  input {given}"], "lines": sums(terms)}


def told_dims(names):
    """A block that is passed a dim of the network that its inputs do not have."""
    given = listed("own_i{1}: f32[{0} = 3, 4]", names)
    return {"inputs": [f"  input {given}"], "lines": chain("own_told({})", names)}


ROLES = [labels, scopes, regions, derived, draws, parameters, buffers, bindings, outputs, inputs]
ROLES += [inputs_of_blocks, arguments, dims, told_dims]


def spec(network="own_net", **parts):
    found = {"definitions": (), "inputs": (), "lines": ["  own_last = own_x"], **parts}
    joined = {key: "\n".join(value) for key, value in found.items()}
    return SPEC.format(network=network, **joined)


def compiled(text):
    return load_network(Source("net.arch", text), reserved=is_reserved)[0]


@cache
def names_of_code():
    """All names in the source of such a network, in the helpers and in the code of an archive."""
    text, _ = python_source(compiled(spec()))
    found = set(helper_names())
    for node in ast.walk(ast.parse(text)):
        found |= {getattr(node, part, None) for part in ("id", "arg", "name", "attr")}
    return {name for name in found if isinstance(name, str)}


OTHERS = """
    live_1 kept_1 wanted wanted_1 need use layer like found mask CONSTANTS ops prim aten inf nan
    fork Device Future Scalar number
    """.split()  # noqa: SIM905  (a table)
"""Names in the code of other networks, and some of TorchScript's language."""


@cache
def pool():
    """Names that generated code, Python, TorchScript or modules use."""
    of_modules = {*dir(torch.nn.Module()), *dir(torch.jit.RecursiveScriptModule)}
    known = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *of_modules, *OTHERS}
    known = {name for name in known if not name.endswith(("Error", "Warning"))}
    return sorted(name for name in known | names_of_code() if is_free(name))


def is_free(name):
    """Whether it is a valid name that the networks here do not use."""
    text = f"block {name} {{ relu }}\n"
    mine = name == "_" or name in re.findall(r"\w+", f"{SPEC} dropout expand flatten ones sum")
    return not mine and not parse(Source("net.arch", text)).diagnostics


NAMED = (labels, scopes, regions, parameters, buffers)
"""Roles in which a name is that of a submodule; `check` warns if it cannot be one."""


def accepted(role):
    """A network with all names that the compiler accepts in this role.

    TorchScript takes long for classes, chains, draws and sizes, so there are fewer of these.
    """
    names = pool()
    if role in (scopes, regions, derived, draws, told_dims):
        few = {*KEYWORDS, *HIDING, *OTHERS, *(names_of_code() & set(dir(builtins)))}
        names = [name for name in names if name in few]
    if role in NAMED:
        names = [name for name in names if not is_reserved(name)]
    while True:
        try:
            return compiled(spec(**role(names))), names
        except CompileFailed as failure:
            messages = "".join(fault.message for fault in failure.diagnostics)
            refused = set(re.findall("`([^`]*)`", messages)) & set(names)
            assert refused, messages
            names = [name for name in names if name not in refused]


@pytest.mark.parametrize("role", ROLES)
def test_names_accepted_by_check_can_be_built(role, tmp_path):
    net, names = accepted(role)
    assert len(names) > 20
    assert foreseen(net) == ()
    model = to_module(net)
    x = tuple(example(node) for node in net.inference.inputs)
    save_scripted(net, tmp_path / "net.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.jit.load(tmp_path / "net.pt")
    loaded.load_state_dict(model.state_dict())
    for one in (model, loaded):
        one.train()(*x)
    for found, expected in zip(loaded.eval()(*x), model.eval()(*x), strict=True):
        torch.testing.assert_close(found, expected)


def example(node):
    (kind,) = node.types
    sizes = {"own_B": 2, "own_size": 9}
    shape = [size.evaluate({**dict.fromkeys(size.symbols, 3), **sizes}) for size in kind.shape]
    return torch.rand(shape) if kind.dtype.is_float else torch.tensor([True, False])


DEFAULTS = {"dim": "T", "input": "x", "label": "a", "param": "p", "output": "y"}


@pytest.mark.parametrize("record", ["NetOutput", "NetTrainingOutput"])
@pytest.mark.parametrize("role", DEFAULTS)
def test_result_classes_are_not_shadowed(role, record, tmp_path):
    """A result whose class has the same name as something else; arguments keep their names."""
    names = {**DEFAULTS, role: record}
    text = """
network net {{
  input {input}: f32[B = 2, 4, {dim} = 9]
  param {param}: f32[4, 1] = ones
  output {output} = {input} * {param} -> roll({dim} // 2, axes=2)
  output z = {input} -> select(2, 0) -> {label}: linear(3)
  output other = {input} -> relu when training
}}
""".format(**names)
    net = compiled(text)
    assert foreseen(net) == ()
    model, x = to_module(net), torch.rand(2, 4, 9)
    for training in (False, True):
        found = model.train(training)(**{names["input"]: x})
        assert torch.equal(found[0], x.roll(4, 2))
    save_scripted(net, tmp_path / "net.pt")


@pytest.mark.parametrize("name", ["T", "own_sum", "T_", "x", "live"])
def test_a_dim_passed_to_a_block_has_its_own_variable(name, tmp_path):
    """Also if something in the block has the name that the dim has outside."""
    text = f"""
block told(k: dim, m: dim) {{
  input T
  own_sum = T + (ones([k // 2, 4]) -> sum(0))
  x = own_sum + (ones([m // 2, 4]) -> sum(0))
  output own_y = x * 2
}}
network net {{
  input i: f32[B = 2, 4], s: f32[{name} = 6], t: f32[{name}_ = 8]
  output y = i -> told({name}, {name}_)
}}
"""
    net = compiled(text)
    x = torch.rand(2, 4)
    found = to_module(net)(x, torch.rand(6), torch.rand(8))
    torch.testing.assert_close(found, x * 2 + 14)
    save_scripted(net, tmp_path / "net.pt")


@pytest.mark.parametrize("name", ["torch", "annotate", "bool", "isinstance", "range"])
def test_labels_that_shadow_names_in_an_archive_are_refused(name, tmp_path, monkeypatch):
    net = compiled(spec(**labels([name])))
    assert [(fault.code, fault.primary.span.text) for fault in foreseen(net)] == [
        ("E0823", f"{name}: linear(4)".partition(": ")[2])
    ]
    monkeypatch.setattr(check, "is_unreadable", lambda _: False)
    with pytest.raises(CompileFailed, match="E0824"):
        save_scripted(net, tmp_path / "net.pt")


def test_no_two_sizes_get_one_variable():
    """Sizes of the network that a caller passes in addition to those of the inputs."""
    known = ["H", "H_", "T_"]
    others = ["F", "F_", "F__", "live", "live_", "H", "H__", "T", "W", "__x", "x"]
    local = Locals(dict.fromkeys(known, Dim.symbol("B")), spell=size_variable)
    names = [*known, *map(local.extra_name, others)]
    assert len(set(names)) == len(names)
    assert not {"F", "live", "__x"} & set(names)
    assert {"W", "x"} < set(names)


HELPED = {
    "conv(4, 3, parametrization=spectral_norm)": "f32[B = 2, 3, H = 7, W = 7]",
    "linear(4, parametrization=spectral_norm)": "f32[B = 2, 3]",
}


@pytest.mark.parametrize("layer", HELPED)
@pytest.mark.parametrize("kind", ["network", "block"])
def test_classes_do_not_shadow_names_used_by_helpers(layer, kind, tmp_path):
    """A block or network whose class would have the name of something that a helper defines."""
    shape = HELPED[layer]
    plain = compiled(f"network n {{\n  input x: {shape}\n  output x -> {layer}\n}}")
    brought = [node.name for node in ast.parse(python_source(plain)[0]).body if is_definition(node)]
    assert len(brought) == 5  # including `reset`
    for name in brought[:-1]:
        block = f"block {name} {{ {layer} -> relu }}" if kind == "block" else ""
        stage, head = (name, "n") if kind == "block" else (layer, name)
        net = compiled(f"{block}\nnetwork {head} {{\n  input x: {shape}\n  output x -> {stage}\n}}")
        assert foreseen(net) == ()
        to_module(net).train()(*(example(node) for node in net.inference.inputs))
        save_scripted(net, tmp_path / "net.pt")


def is_definition(node):
    return isinstance(node, ast.ClassDef | ast.FunctionDef)
