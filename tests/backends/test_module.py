"""The live module: copies, processes, devices, types, outputs, compilation."""

import copy
import io
import multiprocessing
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from archspec_torch.module import to_module
from archspec_torch.source import python_source
from tests.backends.scripts import saved, script

TWO = """
block body(width: int) { linear(width) -> relu -> dropout(0.5) }
network net {
  input x: f32[B = 1, 4]
  h = x -> a: body(8)
  output logits = h -> head: linear(3)
  output both = (h, h -> side: linear(2)) when training
}
"""


def test_deepcopy_shares_nothing(network):
    model = to_module(network(TWO).compiled)
    twin = copy.deepcopy(model)
    assert type(twin) is type(model)
    with torch.no_grad():
        twin.head.weight.zero_()
    assert model.head.weight.abs().sum() > 0
    x = torch.randn(2, 4)
    torch.testing.assert_close(copy.deepcopy(model).eval()(x), model.eval()(x))


def run_in_worker(data, inputs, queue):
    model = pickle.loads(data)
    torch.manual_seed(0)
    out = model(pickle.loads(inputs))
    queue.put(pickle.dumps((out.logits.tolist(), type(out).__name__, out._fields)))


def test_unpickles_in_a_spawned_process(network):
    model = to_module(network(TWO).compiled).train()
    x = torch.randn(2, 4)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = (pickle.dumps(model), pickle.dumps(x), queue)
    process = context.Process(target=run_in_worker, args=arguments)
    process.start()
    logits, name, fields = pickle.loads(queue.get(timeout=120))
    process.join(60)
    assert process.exitcode == 0
    assert name == "NetOutput"
    assert fields == ("logits", "both")
    torch.manual_seed(0)
    torch.testing.assert_close(torch.tensor(logits), model(x).logits)


def test_results_pickle_and_save(network):
    model = to_module(network(TWO).compiled).train()
    out = model(torch.randn(2, 4))
    again = pickle.loads(pickle.dumps(out))
    assert type(again) is type(out)
    assert again._fields == ("logits", "both")
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    loaded = torch.load(buffer, weights_only=False)
    assert loaded.state_dict().keys() == model.state_dict().keys()


def test_outputs_of_both_modes(network):
    model = to_module(network(TWO).compiled)
    x = torch.randn(2, 4)
    for one in (model, script(model), saved(script(model))):
        out = one.train()(x)
        assert out.logits.shape == (2, 3)
        assert [tuple(item.shape) for item in out.both] == [(2, 8), (2, 2)]
        out = one.eval()(x)
        torch.testing.assert_close(out, model.eval()(x), rtol=1e-6, atol=1e-6)


def test_saved_script_honours_train_and_eval(network):
    text = "network net {\n input x: f32[B = 1, 64]\n output x -> dropout(0.5) -> bn: batch_norm\n}"
    model = to_module(network(text).compiled)
    loaded = saved(script(model))
    x = torch.ones(8, 64)
    before = loaded.state_dict()["bn.running_mean"].clone()
    loaded.train()(x)
    assert not torch.equal(loaded.state_dict()["bn.running_mean"], before)
    loaded.eval()
    torch.testing.assert_close(loaded(x), loaded(x), rtol=0, atol=0)


def test_single_output_is_a_tensor_and_tuple_output_a_tuple(network):
    one = "network net {\n input x: f32[B = 1, 4]\n output logits = x -> linear(3)\n}"
    assert isinstance(to_module(network(one).compiled)(torch.ones(1, 4)), torch.Tensor)
    two = "network net {\n input x: f32[B = 1, 4]\n output y = (x, x -> linear(3))\n}"
    out = to_module(network(two).compiled)(torch.ones(1, 4))
    assert isinstance(out, tuple)
    assert [item.shape[1] for item in out] == [4, 3]


def test_seed_determines_weights_without_changing_the_generator(network):
    compiled = network(TWO).compiled
    torch.manual_seed(7)
    first = torch.rand(3)
    torch.manual_seed(7)
    a, b, c = (to_module(compiled, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), first)
    assert torch.equal(a.head.weight, b.head.weight)
    assert not torch.equal(a.head.weight, c.head.weight)


def test_meta_needs_no_memory(network):
    text = """
network net {
  input x: f32[B = 1, 4]
  output x -> linear(2000000, weight_init=normal(std=0.1))
    -> linear(2000000, weight_init=trunc_normal)
}
"""
    model = to_module(network(text).compiled, device="meta")
    assert sum(p.numel() for p in model.parameters()) > 4e12
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert model(torch.empty(2, 4, device="meta")).shape == (2, 2000000)


META = """
import sys, archspec
net = archspec.load(sys.argv[1])
module = net.to_torch(device="meta")
print({p.device.type for p in module.parameters()}, "torch._dynamo" in sys.modules)
"""


def test_meta_does_not_import_the_compiler(tmp_path):
    path = tmp_path / "net.arch"
    path.write_text(
        """
network net {
  input x: f32[B = 1, 8]
  init linear.weight = normal(std=0.02)
  param p: f32[8, 8] = orthogonal
  output (x * (p -> sum(axis=0))) -> linear(8) -> linear(8, weight_init=trunc_normal)
    -> linear(3, weight_init=xavier_normal)
}
"""
    )
    run = subprocess.run(
        [sys.executable, "-c", META, str(path)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "{'meta'} False"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_floating_types(network, dtype):
    text = """
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  param p: f32[3, 1, 1] = ones
  grid = linspace(0.0, 1.0, W)
  y = x * p + grid -> conv(4, 3) -> batch_norm -> relu
  mask = (y > 0.5)
  share = (mask -> where(value=1.0, otherwise=0.0)) -> mean(axis=[2, 3])
  output (y -> global_avg_pool, share, zeros([B, 2])) -> concat(axis=1) -> linear(2)
}
"""
    model = to_module(network(text).compiled, dtype=dtype)
    assert {p.dtype for p in model.parameters()} == {dtype}
    x = torch.randn(2, 3, 8, 8, dtype=dtype)
    assert model(x).dtype == dtype
    assert script(model)(x).dtype == dtype


def test_floating_type_without_floating_input(network):
    text = """
network net {
  input ids: i64[B = 1, N = 5]
  noise = linspace(0.0, 1.0, N)
  output noise
}
"""
    model = to_module(network(text).compiled, dtype=torch.float64)
    assert model(torch.ones(1, 5, dtype=torch.int64)).dtype == torch.float64
    assert model.state_dict() == {}
    assert saved(script(model))(torch.ones(1, 5, dtype=torch.int64)).dtype == torch.float64


def test_compiles(network):
    text = """
block unit { conv(4, 3) -> batch_norm -> relu }
network net {
  input x: f32[B = 1, 3, H = 8, W = 8]
  output x -> stages: for i in 0..3 { unit } -> rearrange("b c (h p) w -> b h w (c p)", p=2)
}
"""
    model = to_module(network(text).compiled).eval()
    fast = torch.compile(model, backend="eager", fullgraph=True)
    for size in (8, 12):
        x = torch.randn(2, 3, size, size)
        torch.testing.assert_close(fast(x), model(x))


def test_exports_with_names(network):
    model = to_module(network(TWO).compiled).train()
    program = torch.export.export(model, (torch.randn(2, 4),))
    out = program.module()(torch.randn(2, 4))
    assert type(out).__name__ == "NetOutput"
    assert out._fields == ("logits", "both")
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    again = torch.export.load(buffer).module()(torch.randn(2, 4))
    assert again.logits.shape == (2, 3)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda(network):
    model = to_module(network(TWO).compiled, device="cuda")
    assert {p.device.type for p in model.parameters()} == {"cuda"}
    assert model.eval()(torch.randn(2, 4, device="cuda")).is_cuda


def test_source_is_a_standalone_module(network, tmp_path):
    text, name = python_source(network(TWO).compiled)
    space = {"__name__": "somewhere"}
    exec(compile(text, "net.py", "exec"), space)
    assert isinstance(space[name](), nn.Module)
    assert "archspec" not in [
        line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))
    ]


GATED = """
network net {
  input g: bool[B = 1], x: f32[B, 4]
  output (g, x, x) -> gated(inner: linear(4))
}
"""


@pytest.mark.parametrize("gate", [[True, False], [False, False]])
def test_gates_are_open_on_meta_and_in_exports(network, gate):
    model = to_module(network(GATED).compiled).eval()
    g, x = torch.tensor(gate), torch.randn(2, 4)
    expected = torch.where(g[:, None], model.gated.inner(x), x)
    ran = []
    model.gated.inner.register_forward_hook(lambda *_: ran.append(1))
    torch.testing.assert_close(model(g, x), expected)
    assert len(ran) == any(gate)
    torch.testing.assert_close(script(to_module(network(GATED).compiled).eval())(g, x), expected)
    assert model.to("meta")(g.to("meta"), x.to("meta")).shape == (2, 4)
    program = torch.export.export(to_module(network(GATED).compiled).eval(), (~g, x))
    torch.testing.assert_close(program.module()(g, x), expected)
