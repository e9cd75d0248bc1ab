"""Compile modules with TorchScript, and save and load them."""

import io
import warnings

import torch


def script(module):
    """The module compiled with TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(module)


def saved(scripted):
    """The module after saving and loading it."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(scripted, buffer)
        buffer.seek(0)
        return torch.jit.load(buffer)
