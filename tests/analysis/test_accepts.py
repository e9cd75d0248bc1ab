"""`accepts` is true exactly when torch runs, and then every tensor has the inferred shape."""

import random

import pytest

import archspec
from archspec import shipped
from archspec.passes.expand import expand

torch = pytest.importorskip("torch")

QUICK = ["lenet", "alexnet", "resnet18", "unet", "fractalnet20_w16"]
FAMILIES = [*QUICK, "vgg11", "densenet121", "vit_b_16", "inception_v3", "pyramidnet"]


class Probe:
    """A network on the meta device that says whether it ran with the shapes inferred."""

    def __init__(self, name):
        self.net = archspec.load(shipped.networks()[name], name)
        self.module = self.net.to_torch(device="meta").eval()
        self.seen = {}
        for path, module in self.module.named_modules():
            module.register_forward_hook(self._hook(path))
        flat = expand(self.net.compiled.inference, None)
        self.inferred = {
            item.path: item.types[0]
            for item in flat.nodes
            if item.kind == "op" and item.path and len(item.types) == 1
        }

    def _hook(self, path):
        def note(module, given, result):
            if isinstance(result, torch.Tensor):
                self.seen[path] = list(result.shape)

        return note

    def runs(self, sizes):
        """Whether torch runs; asserts nothing about shapes unless it does."""
        self.seen.clear()
        data = [torch.empty(at(item.types[0], sizes), device="meta") for item in self.net.inputs]
        try:
            with torch.no_grad():
                result = self.module(*data)
        except (RuntimeError, ValueError):
            return False
        several = [] if isinstance(result, torch.Tensor) else [r for r in result if r is not None]
        results = [result] if isinstance(result, torch.Tensor) else several
        inferred = [at(kind, sizes) for item in self.net.outputs for kind in item.types]
        return [list(item.shape) for item in results] == inferred

    def check(self, sizes):
        """Compare for one choice of sizes."""
        assert self.runs(sizes) == self.net.accepts(**sizes), sizes
        if self.net.accepts(**sizes):
            known = {path: at(kind, sizes) for path, kind in self.inferred.items()}
            assert {p: s for p, s in self.seen.items() if p in known and s != known[p]} == {}


def at(kind, sizes):
    return [size.evaluate(sizes) for size in kind.shape]


def free(probe, **sizes):
    reported = probe.net.compiled.sizes
    return {**reported, **{name: size for name, size in sizes.items() if name in reported}}


def slow_but(quick):
    marks = {name: () if name in quick else pytest.mark.slow for name in FAMILIES}
    return [pytest.param(name, marks=mark) for name, mark in marks.items()]


@pytest.mark.parametrize("name", slow_but(QUICK))
def test_some_sizes(name):
    probe = Probe(name)
    pick = random.Random(name)
    for size in (1, 2, 7, 16, 31, 32, 33, 64):
        probe.check(free(probe, H=size, W=pick.randint(1, 80), B=pick.randint(1, 3)))
    probe.check(free(probe))
    assert probe.seen.keys() & probe.inferred.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("axis", "last"), [("H", 300), ("W", 40)])
@pytest.mark.parametrize("name", FAMILIES)
def test_sizes_to_300(name, axis, last):
    probe = Probe(name)
    if axis in probe.net.compiled.sizes:
        for size in range(1, last + 1):
            probe.check(free(probe, **{axis: size}))
    else:
        probe.check(free(probe))
