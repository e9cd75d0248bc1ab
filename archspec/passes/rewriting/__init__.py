"""Rewriting: patterns of nodes and what they become, as data, and a driver that applies them."""
