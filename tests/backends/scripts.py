"""Modules made into TorchScript, and saved and loaded."""

import io
import warnings

import torch


def script(module):
    """The module, compiled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(module)


def saved(scripted):
    """What a file of it gives."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(scripted, buffer)
        buffer.seek(0)
        return torch.jit.load(buffer)
