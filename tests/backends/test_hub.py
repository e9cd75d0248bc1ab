"""Huggingface_hub's mixin saves and loads modules, with the arguments of their constructor."""

import inspect
import json
from pathlib import Path

import pytest
import torch

import archspec

NETWORKS = {
    "alexnet": ({}, {"classes": 7, "drop": 0.25}),
    "unet": ({"width": 4, "poolings": 2}, {"classes": 3}),
    "lenet": ({}, {}),
    "t5": ({}, {}),
}


def kind_of(name):
    parameters, _ = NETWORKS[name]
    place = Path(__file__).parents[1] / "tied" / "t5.arch" if name == "t5" else name
    return type(archspec.load(place, **parameters).to_torch("meta"))


@pytest.mark.parametrize("name", NETWORKS)
def test_saved_module_is_loaded_again(name, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    _, values = NETWORKS[name]
    mine = type("Mine", (kind_of(name), hub.PyTorchModelHubMixin), {})
    module = mine(**values).eval()
    module.save_pretrained(tmp_path)
    read = mine.from_pretrained(tmp_path).eval()
    inputs = module.example_inputs()
    torch.testing.assert_close(read(*inputs), module(*inputs))
    config = tmp_path / "config.json"
    if config.exists():
        expected = arguments(kind_of(name)) | values
        assert json.loads(config.read_text(encoding="utf-8")) == expected
    else:
        assert not arguments(kind_of(name))


def arguments(kind):
    """The arguments of a constructor as the mixin reads them, with their defaults."""
    found = inspect.signature(kind.__init__).parameters
    return {name: one.default for name, one in found.items() if name != "self"}


@pytest.mark.parametrize("name", NETWORKS)
def test_configuration_is_json_and_recreates_the_module(name):
    """The mixin requires named arguments with defaults of plain types, and `**kwargs`."""
    kind, (_, values) = kind_of(name), NETWORKS[name]
    assert values.keys() <= arguments(kind).keys()
    config = json.loads(json.dumps(arguments(kind) | values))
    with torch.device("meta"):
        one, two = kind(**values), kind(**config)
    assert repr(one) == repr(two)
    assert all(item.default is not item.empty for item in signature_of(kind))


def signature_of(kind):
    return [*inspect.signature(kind.__init__).parameters.values()][1:]


def test_the_mixin_may_come_first_and_reads_the_arguments_of_the_constructor():
    """The mixin reads them in `__new__`, before the constructor is called."""
    seen = []

    class Mixin:
        def __new__(cls, *given, **named):
            seen.append((given, named))
            return super().__new__(cls)

    kind = kind_of("alexnet")
    with torch.device("meta"):
        for bases in ((Mixin, kind), (kind, Mixin)):
            assert type("Mine", bases, {})(classes=3).classifier[-1].out_features == 3
    assert seen == [((), {"classes": 3})] * 2
