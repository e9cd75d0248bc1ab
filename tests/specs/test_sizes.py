"""`accepts` agrees with torch, and every intermediate tensor has the inferred shape."""

from itertools import product

import pytest
import torch

from archspec.graph.model import Graph
from archspec.graph.names import join_path
from archspec.loading import load
from archspec.shipped import networks
from archspec.types.tensor import TensorType
from tests.specs.compiled import shipped
from tests.specs.families import NAMES, family, options
from tests.unchecked import unchecked

FAMILIES = {name: family(name)["sizes"] for name in NAMES if "sizes" in family(name)}
"""The parts of each spec tested on every size; in the others, images have one size."""

AT_BOUNDARIES = [
    name
    for name, path in networks().items()
    if path.stem in FAMILIES and name in FAMILIES[path.stem].get("boundaries", [name])
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Ops that accept and preserve every shape are skipped: on `meta` they take most of the
    time."""
    monkeypatch.setattr(torch.nn.functional, "relu", lambda x, inplace=False: x)


class Watched:
    """A network on `meta` that compares every tensor with its inferred type when it is called."""

    def __init__(self, name: str, **parameters: int) -> None:
        self.network = shipped(name, **parameters)
        self.module = self.network.to_torch(device="meta").eval()
        unchecked(self.module)  # torch decides
        for module in self.module.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.forward = lambda x: x  # the same in eval mode
        self.sizes: dict[str, int] = {}
        self.compared = 0
        modules = dict(self.module.named_modules())
        for path, types in calls(self.network.compiled.inference):
            if path in modules:  # without weights it may be a function call
                modules[path].register_forward_hook(self.compare(path, types))
        results = tuple(kind for output in self.network.outputs for kind in output.types)
        self.module.register_forward_hook(self.compare("output", results))

    def compare(self, path: str, types: tuple[TensorType, ...]):
        def hook(module, inputs, found):
            several = [found] if isinstance(found, torch.Tensor) else found
            tensors = [item for item in several if item is not None]
            for tensor, kind in zip(tensors, types, strict=True):
                wanted = tuple(size.evaluate(self.sizes) for size in kind.shape)
                if tuple(tensor.shape) != wanted:
                    raise AssertionError(f"{path}: {tuple(tensor.shape)} is not {kind} = {wanted}")
                self.compared += 1

        return hook

    def runs(self, **sizes: int) -> bool:
        """Whether torch accepts images of this size. Raises AssertionError for a wrong shape."""
        self.sizes = {**self.network.compiled.sizes, **sizes}
        images = [
            torch.empty([size.evaluate(self.sizes) for size in kind.shape], device="meta")
            for port in self.network.inputs
            for kind in port.types
        ]
        try:
            with torch.inference_mode():
                self.module(*images)
        except RuntimeError:
            return False
        return True


def calls(graph: Graph, prefix: str = ""):
    """Path and types of every block and every named op, recursively."""
    for node in graph.nodes:
        if node.instance is None:
            continue
        path = join_path(prefix, node.instance.key)
        if node.instance.graph is not None:
            yield path, node.types
            yield from calls(node.instance.graph, path)
        elif node.instance.key:
            yield path, node.types


def test_untried_specs_accept_only_one_size():
    for stem in {path.stem for path in networks().values()} - set(FAMILIES):
        run = family(stem)["run"]
        assert not {"H", "W"} & set(shipped(run["network"], **options(run)).compiled.sizes)


def agree(watched: Watched, pairs, *, stricter: bool = False) -> None:
    """If the spec is `stricter` than torch, torch may accept sizes that the spec excludes."""
    accepted = 0
    for height, width in pairs:
        sizes = {"B": 1 + height % 3, "H": height, "W": width}
        expected = watched.network.accepts(**sizes)
        assert watched.runs(**sizes) == expected or (stricter and not expected), sizes
        accepted += expected
    assert accepted > 0
    assert watched.compared


@pytest.mark.parametrize("name", ["resnet18", "fractalnet20_cifar10", "unet", "wrn_16_4"])
def test_small_sizes(name):
    agree(Watched(name), [(size, 40 - size) for size in range(1, 40)] + [(32, 32), (33, 64)])


def test_minimum_size():
    agree(Watched("alexnet"), [(62, 64), (63, 63), (64, 62), (64, 64)])


@pytest.mark.parametrize("name", ["lenet", "deit_tiny_patch16_224", "vit_b_16"])
def test_any_batch_of_images_of_one_size(name):
    watched = Watched(name)
    for batch in (1, 2, 3):
        assert watched.network.accepts(B=batch)
        assert watched.runs(B=batch)
    assert watched.compared


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("resnet18", [(1, 1), (32, 32), (32, 33), (33, 32), (64, 64)]),
        ("resnet20_cifar10", [(1, 1), (4, 4), (5, 4), (4, 5)]),
        ("unet", [(16, 16), (16, 32), (17, 32)]),
        ("inception_v3", [(75, 75), (298, 299), (299, 298), (299, 299)]),
    ],
)
def test_training_has_its_own_valid_sizes(name, pairs):
    """A batch norm needs more than one value per channel, an auxiliary head a larger image."""
    network = shipped(name)
    module = unchecked(network.to_torch(device="meta").train())
    for batch, (height, width) in product((1, 2), pairs):
        channels = network.inputs[0].types[0].shape[1].constant
        image = torch.empty(batch, channels, height, width, device="meta")
        try:
            module(image)
            runs = True
        except (RuntimeError, ValueError):
            runs = False
        expected = network.accepts(training=True, B=batch, H=height, W=width)
        assert runs == expected, (batch, height, width)


@pytest.mark.parametrize("poolings", range(8))
def test_unet_requires_multiples_of_its_pooling_strides(poolings):
    network = shipped("unet", poolings=poolings, width=2)
    step = 2**poolings
    assert network.accepts(H=3 * step, W=step)
    for size in range(1, 2 * step):
        assert network.accepts(H=size, W=step) == (size % step == 0)


@pytest.mark.parametrize("poolings", range(1, 8))
def test_requirements_of_a_unet_are_found_without_a_where(poolings, tmp_path):
    text = networks()["unet"].read_text(encoding="utf-8")
    start = text.index("    where")
    path = tmp_path / "unet.arch"
    path.write_text(text[:start] + text[text.index("  output logits") :], encoding="utf-8")
    network = load(path, poolings=poolings, width=2)
    assert str(network.valid_sizes) == str(shipped("unet", poolings=poolings, width=2).valid_sizes)
    assert [item.code[:2] for item in network.warnings] == ["W0"] * len(network.warnings) != []


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_up_to_300(family):
    tried = FAMILIES[family]
    squares = [(size, size) for size in range(1, 301, tried.get("step", 1))]
    oblong = [(size, 7 * size % 300 + 1) for size in range(1, 301, 20)]
    least = tried.get("least", 1)
    pairs = [pair for pair in squares + oblong if min(pair) >= least]
    watched = Watched(tried["network"], **options(tried))
    agree(watched, pairs, stricter=tried.get("stricter", False))


@pytest.mark.slow
@pytest.mark.parametrize("name", AT_BOUNDARIES)
def test_boundaries(name):
    """Near the smallest sizes, and on residues of the strides, in both directions."""
    network = shipped(name)
    largest = max(network.compiled.sizes["H"], 64)
    least = next(size for size in range(1, 400) if network.accepts(H=size, W=largest))
    around = range(max(1, least - 2), least + 3)
    residues = range(largest - 3, largest + 3)
    pairs = [(size, largest) for size in (*around, *residues)]
    agree(Watched(name), [*pairs, *((width, height) for height, width in pairs)])
