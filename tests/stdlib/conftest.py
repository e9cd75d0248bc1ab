import pytest

from archspec.analysis.parameters import table
from archspec.loading import load


@pytest.fixture
def network(tmp_path):
    """A network with one input, and outputs that are the input and the result of `stages`."""

    def compiled(shape, stages, uses=""):
        path = tmp_path / "net.arch"
        text = f"network net {{\n  input x: f32{shape}\n  output y = x -> {stages}\n}}\n"
        path.write_text(f"use {uses}\n\n{text}" if uses else text, encoding="utf-8")
        return load(path)

    return compiled


@pytest.fixture
def weights():
    """Names and shapes of the parameters of a network."""

    def found(network):
        return {item.name: item.shape for item in table(network.compiled) if item.learnable}

    return found
