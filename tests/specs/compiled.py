"""Shipped networks, each compiled once for all tests of a run."""

from functools import cache

from archspec.loading import load
from archspec.network import Network
from archspec.shipped import networks


@cache
def shipped(name: str, **parameters: int) -> Network:
    """The shipped network or preset of this name."""
    return load(networks()[name], name, **parameters)
