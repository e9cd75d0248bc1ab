"""Compares objectives with functions of torch: values, gradients, TorchScript and source."""

import importlib.util
import warnings

import torch

import archspec


def network(tmp_path, inputs, calls):
    """A network with an output for each of these calls, such as `(x, y) -> mse_loss`."""
    outputs = "\n".join(f"  output out{i} = {call}" for i, call in enumerate(calls))
    path = tmp_path / "net.arch"
    path.write_text(
        f"use std.objectives\n\nnetwork net {{\n  input {inputs}\n{outputs}\n}}\n", encoding="utf-8"
    )
    return archspec.load(path)


def forms(net, folder):
    """The live module, its TorchScript and the module of the generated source, in float64."""
    live = net.to_torch(dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(live)
    (file,) = (f for f in net.build(folder, ["torch"]) if f.suffix == ".py")
    spec = importlib.util.spec_from_file_location("built_objective", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"live": live, "script": scripted, "source": module.Net().double()}


def compare(function, references, tensors, rtol=1e-10, atol=1e-12):
    """Compare outputs, and their gradients at the tensors that require one, with references.

    `references` maps the names of outputs, in their order, to functions of the tensors. Returns the
    largest absolute difference by name.
    """
    worst = {}
    for i, (name, reference) in enumerate(references.items()):
        wanted = value_and_gradients(reference, tensors)
        found = value_and_gradients(lambda *leaves, i=i: outputs(function(*leaves))[i], tensors)
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(
                one, other, rtol=rtol, atol=atol, equal_nan=True, msg=lambda m, n=name: f"{n}: {m}"
            )
        worst[name] = max(difference(a, b) for a, b in zip(found, wanted, strict=True))
    return worst


def outputs(result):
    return (result,) if isinstance(result, torch.Tensor) else tuple(result)


def value_and_gradients(function, tensors):
    """What the function yields, and the gradients of a weighted sum of it."""
    leaves = [t.detach().clone().requires_grad_(t.requires_grad) for t in tensors]
    value = function(*leaves)
    weights = torch.linspace(0.5, 1.5, value.numel(), dtype=value.dtype).reshape(value.shape)
    learning = [leaf for leaf in leaves if leaf.requires_grad]
    gradients = torch.autograd.grad((value * weights).sum(), learning, allow_unused=True)
    return [
        value.detach(),
        *(
            torch.zeros_like(a) if g is None else g
            for a, g in zip(learning, gradients, strict=True)
        ),
    ]


def difference(one, other):
    """The largest difference of two tensors, without places where both are nan."""
    return float((one - other).abs().nan_to_num().max())


def drawn(*shape, scale=1.0):
    """Normal numbers that require a gradient."""
    return (scale * torch.randn(shape, dtype=torch.float64)).requires_grad_()


def positive(*shape):
    """Numbers from 0.1 to 10 that require a gradient."""
    return (10 ** (2 * torch.rand(shape, dtype=torch.float64) - 1)).requires_grad_()


def shares(*shape):
    """Numbers from 0 to 1, without a gradient."""
    return torch.rand(shape, dtype=torch.float64)


def labels(classes, *shape, ignored=None):
    """Labels, of which every third is `ignored`."""
    drawn = torch.randint(classes, shape)
    if ignored is not None:
        drawn.view(-1)[::3] = ignored
    return drawn


def compare_all(tmp_path, group):
    """Compare a group in all forms: its inputs, references, and functions that draw tensors."""
    torch.manual_seed(0)
    inputs, references, draws = group
    built = forms(network(tmp_path, inputs, references), tmp_path / "built")
    for draw in draws:
        tensors = draw()
        for function in built.values():
            compare(function, references, tensors)
